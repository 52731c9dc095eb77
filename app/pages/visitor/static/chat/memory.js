/** What this browser remembers of an app's conversations: the last one, what is typed, what is on its way. */

import { workingStorage } from "../client/storage.js";

const KINDS = { open: "session", last: "local", draft: "local", queue: "session", sending: "session", side: "local" };

export class ChatMemory {
  #local = workingStorage("localStorage");
  #session = workingStorage("sessionStorage");
  #prefix;

  constructor(code, endUserId) {
    this.#prefix = `frontdesk-chat-${code}-${endUserId}`;
  }

  /** The conversation to show first: this tab's, else the one that was open last; "" for a new one. */
  get conversation() {
    return this.#read("open") ?? this.#read("last") ?? "";
  }

  set conversation(id) {
    this.#write("open", id);
    this.#write("last", id);
  }

  /** What is typed in a conversation and not sent. */
  draft(id) {
    return this.#read("draft", id) ?? "";
  }

  keepDraft(id, text) {
    this.#write("draft", text || null, id);
  }

  /** What waits to be asked in a conversation. */
  queue(id) {
    return this.#read("queue", id) ?? [];
  }

  keepQueue(id, texts) {
    this.#write("queue", texts.length ? texts : null, id);
  }

  /** The question that was sent and not heard of yet: `{query, conversationId, parentId, known}`; null else. */
  get sending() {
    return this.#read("sending");
  }

  set sending(question) {
    this.#write("sending", question);
  }

  /** Whether the list of conversations is hidden on wide screens. */
  get sideHidden() {
    return this.#read("side") === "hidden";
  }

  set sideHidden(hidden) {
    this.#write("side", hidden ? "hidden" : null);
  }

  #read(name, part = "") {
    try {
      return JSON.parse(this.#storageOf(name).getItem(this.#key(name, part)));
    } catch {
      return null;
    }
  }

  #write(name, value, part = "") {
    const storage = this.#storageOf(name);
    if (value === null) return storage.removeItem(this.#key(name, part));
    try {
      return storage.setItem(this.#key(name, part), JSON.stringify(value));
    } catch {
      // The browser's storage is full: the page goes on without its memory.
      return undefined;
    }
  }

  #storageOf(name) {
    return KINDS[name] === "local" ? this.#local : this.#session;
  }

  #key(name, part) {
    return part ? `${this.#prefix}-${name}-${part}` : `${this.#prefix}-${name}`;
  }
}
