/**
 * What a visitor does in a chat app: open conversations, ask, stop, ask again. Answers go on while another
 * conversation is shown; what breaks off goes on by itself, in this page, after a reload, and in a second tab.
 */

import { Answer } from "../answers/answer.js";
import { SpokenAnswer } from "../answers/speech.js";
import { LoginNeeded, Unreachable } from "../client/frontdesk.js";
import { LiveTasks } from "../core/live_tasks.js";
import { notify, wordsOf } from "../core/notices.js";
import { createStore } from "../core/store.js";
import { mappingOf } from "./attachments.js";
import { ConversationList } from "./conversation_list.js";
import { findSentInTime, loadMessages, suggestedQuestions } from "./history.js";
import { ChatMemory } from "./memory.js";
import { Thread, newMessage } from "./thread.js";

const KNOWN = 50;

export class Chat {
  #threads = new Map();
  #streams = new Map();

  constructor(desk, app) {
    this.desk = desk;
    this.app = app;
    this.memory = new ChatMemory(desk.code, app.endUserId);
    this.live = new LiveTasks(desk.code, app.endUserId);
    /** `beat` counts changes within threads. */
    this.store = createStore({
      thread: new Thread(),
      beat: 0,
      pinned: [],
      recent: [],
      moreRecent: false,
      listState: "loading",
    });
    this.list = new ConversationList(desk, this.store);
    this.live.watch((tasks) => this.#hearOfOtherTabs(tasks));
  }

  /** The conversation that is shown. */
  get thread() {
    return this.store.get().thread;
  }

  /** Show a conversation by its id; "" begins a new one. */
  async open(id, { inputs = null } = {}) {
    const thread = (id && this.#threads.get(id)) || new Thread(id);
    if (id) this.#threads.set(id, thread);
    thread.inputs ??= inputs;
    this.memory.conversation = id;
    this.store.set({ thread });
    if (!thread.loaded) await this.#load(thread);
    thread.queue = this.memory.queue(id);
    thread.held = thread.queue.length > 0 && !thread.busy();
    this.beat();
  }

  async #load(thread) {
    try {
      const { messages, hasMore } = await loadMessages(this.desk, thread.id);
      thread.inputs ??= this.list.find(thread.id)?.inputs ?? null;
      thread.hasMore = hasMore;
      thread.loaded = true;
      for (const message of thread.merge(messages)) this.#followIfOpen(thread, message);
    } catch (error) {
      if (error.status !== 404) return this.#refused(error);
      this.#threads.delete(thread.id);
      if (this.thread === thread) await this.open("");
    }
    return undefined;
  }

  /** Load the messages before those that are shown. */
  async loadOlder() {
    const { thread } = this;
    if (!thread.hasMore || thread.loadingOlder) return;
    thread.loadingOlder = true;
    try {
      const oldest = thread.messages.find((message) => message.id !== null);
      const { messages, hasMore } = await loadMessages(this.desk, thread.id, oldest.id);
      thread.merge(messages, { older: true });
      thread.hasMore = hasMore;
    } catch (error) {
      this.#refused(error);
    } finally {
      thread.loadingOlder = false;
      this.beat();
    }
  }

  /** Ask; while an answer is under way the question waits for it. `files`: mappings, and how they are shown. */
  ask(query, files = []) {
    const { thread } = this;
    if (thread.busy()) {
      thread.queue.push({ query, files });
      this.#keepQueue(thread);
      return undefined;
    }
    return this.#send(thread, { query, files, parentId: thread.lastId() });
  }

  /** Ask what waits. */
  askNext(thread = this.thread) {
    thread.held = false;
    const next = thread.queue.shift();
    this.#keepQueue(thread);
    return next ? this.#send(thread, { ...next, parentId: thread.lastId() }) : undefined;
  }

  /** Take back what waits at a place of the queue, and return it. */
  takeBack(index) {
    const [taken] = this.thread.queue.splice(index, 1);
    this.#keepQueue(this.thread);
    return taken;
  }

  /** Ask a message again, with its words or with others: a further branch at its place. */
  again(message, query = message.query) {
    const { thread } = this;
    if (thread.busy()) return undefined;
    if (message.id === null) thread.messages = thread.messages.filter((one) => one !== message);
    return this.#send(thread, { query, files: message.files, parentId: message.parentId });
  }

  /** Stop the answer that is under way. What waits behind it is kept until the visitor asks for it. */
  async stop() {
    const { thread } = this;
    const message = thread.busy();
    if (!message) return;
    thread.held = true;
    message.answer.stopping = true;
    message.answer.changed();
    this.beat();
    // Before its first event a task has no id; `#take` stops it then.
    if (message.answer.taskId) await this.#stopTask(message.answer);
  }

  async #stopTask(answer) {
    try {
      await this.desk.stop(answer.taskId);
    } catch (error) {
      answer.stopping = false;
      answer.changed();
      this.#refused(error);
    }
  }

  async #send(thread, { query, files, parentId }) {
    const message = newMessage({ query, files, parentId, answer: new Answer() });
    thread.suggested = [];
    thread.add(message);
    this.beat();
    const known = [...thread.messages.map(({ id }) => id), ...this.store.get().recent.map(({ id }) => id)];
    const question = { query, conversationId: thread.id, parentId, known: known.filter(Boolean).slice(-KNOWN) };
    this.memory.sending = question;
    message.question = question;
    const body = {
      query,
      inputs: thread.inputs ?? {},
      files: files.map((file) => file.mapping ?? mappingOf(file)),
      conversation_id: thread.id,
      parent_message_id: parentId,
    };
    try {
      const stream = await this.desk.ask(body, this.#listeners(thread, message, { isNew: thread.id === "" }));
      this.#streams.set(message.key, stream);
    } catch (error) {
      await this.#notSent(thread, message, error);
    }
  }

  /** The request brought no stream: the server refused it, or its answer was lost on the way. */
  async #notSent(thread, message, error) {
    if (error instanceof Unreachable && (await this.#recover(thread, message, message.question))) return;
    this.memory.sending = null;
    if (error instanceof LoginNeeded && (await this.#logIn())) {
      thread.messages = thread.messages.filter((one) => one !== message);
      await this.#send(thread, message);
      return;
    }
    message.answer.settle(error);
    thread.held = true;
    this.beat();
  }

  /** Look whether the server has the question after all, and read its answer on. */
  async #recover(thread, message, question) {
    message.answer.connect("reconnecting");
    const found = await findSentInTime(this.desk, question);
    if (!found) return false;
    this.#adopt(thread, message, { conversation_id: found.conversationId, message_id: found.message.id });
    this.#follow(thread, message);
    return true;
  }

  #followIfOpen(thread, message) {
    const isLive = this.live.list().some((task) => task.id === message.id);
    if (!message.mayGrow && !isLive) return;
    this.#follow(thread, message);
  }

  /** Read an answer from its beginning; what is shown of it stays. */
  #follow(thread, message) {
    message.answer.replay();
    const listeners = this.#listeners(thread, message, { isReplay: true });
    this.#streams.set(message.key, this.desk.resume(message.id, listeners));
    this.beat();
  }

  #listeners(thread, message, { isNew = false, isReplay = false } = {}) {
    const spoken = isReplay ? null : new SpokenAnswer();
    return {
      onEvent: (event) => {
        if (message.id === null && event.message_id) this.#adopt(thread, message, event);
        if (event.event.startsWith("tts_message")) return spoken?.take(event);
        const wasKnown = message.answer.taskId !== null;
        const { state } = message.answer;
        message.answer.take(event);
        if (!wasKnown && message.answer.taskId && message.answer.stopping) this.#stopTask(message.answer);
        if (state !== message.answer.state) this.beat();
        return undefined;
      },
      onState: (state, stream) => {
        if (state !== "ended") return message.answer.connect(state);
        return this.#ended(thread, message, stream.error, isNew);
      },
    };
  }

  /** The server has named a message, and the conversation that it began. */
  #adopt(thread, message, { message_id: id, conversation_id: conversationId }) {
    message.id = id;
    thread.choose(message);
    this.memory.sending = null;
    if (thread.id === "" && conversationId) {
      thread.id = conversationId;
      this.#threads.set(conversationId, thread);
      if (this.thread === thread) this.memory.conversation = conversationId;
      this.memory.keepQueue("", []);
      this.#keepQueue(thread);
    }
    this.live.add({ id, conversationId: thread.id });
    this.list.touch({ id: thread.id, name: message.query.slice(0, 20), inputs: thread.inputs ?? {}, introduction: "" });
    this.beat();
  }

  async #ended(thread, message, error, isNew) {
    // Where the request itself failed, `#send` hears of it too.
    if (message.id === null && error) return this.#streams.delete(message.key) && this.#notSent(thread, message, error);
    const { answer } = message;
    if (error?.status === 404) return this.#gone(thread, message);
    this.#streams.delete(message.key);
    if (error instanceof LoginNeeded && (await this.#logIn())) return this.#follow(thread, message);
    answer.settle(error?.name === "AnswerFailed" ? null : error);
    if (message.id) this.live.remove(message.id);
    if (answer.state !== "done") thread.held = true;
    this.beat();
    if (isNew) this.list.rename(thread.id).catch(() => {});
    if (answer.state !== "done") return;
    if (thread.queue.length) return this.askNext(thread);
    return this.#suggest(thread, message);
  }

  /** Nothing is known of the task any more: the history has what became of it. */
  async #gone(thread, message) {
    this.live.remove(message.id);
    message.answer.settle(null);
    this.beat();
  }

  async #suggest(thread, message) {
    const questions = await suggestedQuestions(this.desk, this.app, message);
    if (thread.lastId() !== message.id || thread.busy()) return;
    thread.suggested = questions;
    this.beat();
  }

  /** Another tab has begun or ended something: show what it asked in this conversation, and new conversations. */
  async #hearOfOtherTabs(tasks) {
    const { thread } = this;
    const unknown = tasks.filter((task) => !this.#isKnown(task));
    if (!unknown.length) return;
    if (unknown.some((task) => !this.list.find(task.conversationId))) await this.list.load().catch(() => {});
    if (!unknown.some((task) => task.conversationId === thread.id)) return;
    const { messages } = await loadMessages(this.desk, thread.id);
    for (const message of thread.merge(messages)) {
      thread.choose(message);
      this.#followIfOpen(thread, message);
    }
    this.beat();
  }

  #isKnown({ id }) {
    return [...this.#threads.values()].some((thread) => thread.messages.some((message) => message.id === id));
  }

  #keepQueue(thread) {
    this.memory.keepQueue(thread.id, thread.queue);
    this.beat();
  }

  /** The login has ended: the visitor logs in over the page, on which nothing is lost. Returns whether he did. */
  async #logIn() {
    try {
      await this.desk.logIn();
      return true;
    } catch (error) {
      if (error instanceof LoginNeeded) return false;
      throw error;
    }
  }

  async #refused(error) {
    if (!(error instanceof LoginNeeded)) notify(wordsOf(error), "bad");
    else if (await this.#logIn()) await this.list.load();
  }

  /** Show the branch that a message is on. */
  choose(message) {
    this.thread.choose(message);
    this.beat();
  }

  /** Whether an answer of a conversation is under way in this page. */
  isAnswering(id) {
    return Boolean(this.#threads.get(id)?.busy());
  }

  /** Delete a conversation; where it is shown a new one begins. */
  async delete(id) {
    await this.list.delete(id);
    this.#threads.delete(id);
    if (this.thread.id === id) await this.open("");
  }

  /** Say that something within a thread has changed. */
  beat() {
    this.store.set(({ beat }) => ({ beat: beat + 1 }));
  }
}
