/**
 * A conversation as a tree of messages: a question asked again, or written anew, is a further branch at its place.
 */

const NOBODY = "00000000-0000-0000-0000-000000000000";
let made = 0;

/** Return a message. `id`: null until the server has named it; `key` names it on this page. */
export function newMessage({ id = null, parentId = null, query, files = [], answer, createdAt = Date.now() / 1000, rating = null }) {
  return { key: `message-${(made += 1)}`, id, parentId, query, files, answer, createdAt, rating };
}

/** A conversation: its messages, which branch is shown, what waits to be asked. `id`: "" while it is new. */
export class Thread {
  #chosen = new Map();

  constructor(id = "") {
    this.id = id;
    this.messages = [];
    this.hasMore = false;
    this.loaded = id === "";
    this.inputs = null;
    this.queue = [];
    this.held = false;
    this.suggested = [];
  }

  /** The messages that are shown, the oldest first. */
  path() {
    const shown = [];
    let parent = null;
    for (;;) {
      const children = this.childrenOf(parent);
      if (!children.length) return shown;
      const next = children.find((child) => child.key === this.#chosen.get(parent)) ?? children.at(-1);
      shown.push(next);
      if (next.id === null) return shown;
      parent = next.id;
    }
  }

  /** The messages that share a message's place, itself among them. */
  branches(message) {
    return this.childrenOf(this.#parentOf(message));
  }

  /** The messages below one, by its id; null: those that begin the conversation, or what is loaded of it. */
  childrenOf(parent) {
    return this.messages.filter((message) => this.#parentOf(message) === parent);
  }

  /** Show the branch that a message is on. */
  choose(message) {
    let current = message;
    while (current) {
      const parent = this.#parentOf(current);
      this.#chosen.set(parent, current.key);
      current = this.messages.find((one) => one.id !== null && one.id === parent);
    }
  }

  /** Add a message at the end, and show its branch. */
  add(message) {
    this.messages.push(message);
    this.choose(message);
  }

  /** Add older messages of the history before the others, newer ones behind; those that are known are left out. */
  merge(messages, { older = false } = {}) {
    const fresh = messages.filter((message) => !this.messages.some((known) => known.id === message.id));
    this.messages = older ? [...fresh, ...this.messages] : [...this.messages, ...fresh];
    return fresh;
  }

  /** The message whose answer is being made; undefined where there is none. */
  busy() {
    return this.messages.findLast((message) => message.answer.isBusy);
  }

  /** The id under which the next question is asked: that of the last message shown. */
  lastId() {
    return this.path().findLast((message) => message.id !== null)?.id ?? null;
  }

  #parentOf({ parentId, key }) {
    // Old servers wrote the nil UUID for "the message before".
    if (parentId === NOBODY) {
      const at = this.messages.findIndex((message) => message.key === key);
      return this.messages[at - 1]?.id ?? null;
    }
    return this.messages.some((message) => message.id !== null && message.id === parentId) ? parentId : null;
  }
}
