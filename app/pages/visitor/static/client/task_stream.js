/**
 * The stream of one task: an answer or a workflow run, read to its end whatever happens to the connection.
 *
 * A connection that ends before the task does is made anew from the last event that came (`Last-Event-ID`), so every
 * event comes once and in order. `state` says how it stands:
 *
 *   connecting    the request is on its way
 *   live          events come
 *   reconnecting  the connection was lost; the next try comes by itself
 *   paused        the run waits for somebody; its stream stays open for what follows
 *   ended         nothing follows; `error` has what ended it early
 */

import { AnswerFailed, LoginNeeded, Refused, Unreachable } from "./errors.js";
import { readFrames } from "./sse.js";

/** Pings come each 10 s: a connection that says nothing for longer is lost, as after a sleep. */
const SILENT_MS = 35_000;
const WAITS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000];
const LOST = new Set([408, 425, 429, 500, 502, 503, 504]);

export class TaskStream {
  #calls;
  #onEvent;
  #onState;
  #resolve;
  #connection = null;
  #watch = 0;
  #wake = () => this.#check();
  #lose = () => this.#doubt();
  #doubted = false;
  #hurry = () => {};
  #heard = 0;
  #last = 0;
  #failures = 0;
  #inRun = false;
  #paused = false;
  #finished = false;
  #failed = null;

  /**
   * @param {import("./calls.js").Calls} calls
   * @param {{onEvent: (event: object) => void, onState?: (state: string, stream: TaskStream) => void}} listeners
   */
  constructor(calls, { onEvent, onState = () => {} }) {
    this.#calls = calls;
    this.#onEvent = onEvent;
    this.#onState = onState;
    this.state = "connecting";
    this.error = null;
    /** The ids by which the task can be stopped and read on: known from its first event. */
    this.taskId = null;
    this.resumeId = null;
    /** Resolves with this stream when it has ended; never rejects. */
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** The number of the last event that came; 0 before the first. */
  get lastEventId() {
    return this.#last;
  }

  /** Begin a task, as a rule by a POST. Throws what the server refuses it for; after that errors are in `error`. */
  async begin(path, body, method = "POST") {
    this.#listen();
    let response;
    try {
      response = await this.#open(method, path, { body, headers: { Accept: "text/event-stream" } });
    } catch (error) {
      this.#end(error);
      throw error;
    }
    this.#follow(response);
    return this;
  }

  /** Read on a task by its id (task, message or run), from the event after `after`; 0: from its beginning. */
  resume(id, after = 0) {
    this.resumeId = id;
    this.#last = after;
    this.#listen();
    this.#follow(null);
    return this;
  }

  /** Stop reading. The task itself goes on. */
  close() {
    this.#end(null);
  }

  #listen() {
    globalThis.addEventListener?.("online", this.#wake);
    globalThis.addEventListener?.("offline", this.#lose);
    globalThis.document?.addEventListener("visibilitychange", this.#wake);
    this.#watch = setInterval(this.#wake, 5_000);
  }

  /** Called when the page is shown again, when the network is back, and now and then. */
  #check() {
    if (globalThis.navigator?.onLine !== false) this.#hurry();
    // While the visitor logs in again, nothing can be heard.
    if (this.#calls.entering) this.#heard = Date.now();
    const isLost = this.#doubted || Date.now() - this.#heard > SILENT_MS;
    if (this.#connection && isLost && globalThis.navigator?.onLine !== false) this.#connection.abort(new Unreachable());
  }

  /** The browser says that the network is gone: the connection may survive a short gap, or say nothing ever after. */
  #doubt() {
    this.#doubted = true;
    if (!this.#paused) this.#say("reconnecting");
  }

  #open(method, path, options) {
    this.#connection = new AbortController();
    this.#heard = Date.now();
    return this.#calls.request(method, path, { ...options, signal: this.#connection.signal });
  }

  async #follow(first) {
    let response = first;
    while (this.state !== "ended") {
      try {
        response ??= await this.#reopen();
        this.#say(this.#paused ? "paused" : "live");
        const before = this.#last;
        await readFrames(response, (frame) => this.#take(frame), () => this.#hear());
        this.#failures = this.#last === before ? this.#failures + 1 : 0;
      } catch (error) {
        if (!worthAnotherTry(error)) this.#end(error);
        this.#failures += 1;
        this.error = error;
      }
      response = null;
      this.#connection = null;
      if (this.#finished) this.#end(this.#failed);
      else if (this.resumeId === null) this.#end(this.error ?? new Unreachable());
      if (this.state === "ended") return;
      this.#say(this.#paused ? "paused" : "reconnecting");
      await this.#pause();
    }
  }

  #reopen() {
    const headers = { "Last-Event-ID": String(this.#last), Accept: "text/event-stream" };
    return this.#open("GET", `/workflow/${encodeURIComponent(this.resumeId)}/events`, { headers });
  }

  /** Wait before the next try; the browser's word that the network is back ends the wait. */
  async #pause() {
    const usual = WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)] * (0.75 + Math.random() / 2);
    const wait = this.error?.retryAfter ? this.error.retryAfter * 1000 : usual;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#hurry = () => {};
  }

  #hear() {
    this.#heard = Date.now();
    this.#doubted = false;
    this.error = null;
    if (this.state === "reconnecting") this.#say("live");
  }

  #take({ id, event }) {
    if (this.state === "ended" || !event) return;
    const number = Number(id);
    if (id !== null && Number.isSafeInteger(number)) {
      if (number <= this.#last) return;
      this.#last = number;
    }
    this.#note(event);
    try {
      this.#onEvent(event);
    } catch (error) {
      // What the page makes of an event is no fault of the connection.
      reportError(error);
    }
  }

  /** Note what the stream itself needs of an event. */
  #note(event) {
    this.taskId = event.task_id ?? this.taskId;
    this.resumeId ??= event.workflow_run_id ?? event.task_id ?? event.message_id ?? null;
    switch (event.event) {
      case "workflow_started":
        this.#inRun = true;
        this.#paused = false;
        this.#say("live");
        break;
      case "workflow_paused":
        this.#paused = true;
        this.#say("paused");
        break;
      case "workflow_finished":
        this.#finished = true;
        break;
      case "message_end":
        this.#finished = !this.#inRun;
        break;
      case "error":
        this.#finished = true;
        this.#failed = new AnswerFailed(event);
        break;
    }
  }

  #say(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.#onState(state, this);
  }

  #end(error) {
    if (this.state === "ended") return;
    this.error = error;
    clearInterval(this.#watch);
    globalThis.removeEventListener?.("online", this.#wake);
    globalThis.removeEventListener?.("offline", this.#lose);
    globalThis.document?.removeEventListener("visibilitychange", this.#wake);
    this.#say("ended");
    this.#connection?.abort();
    this.#hurry();
    this.#resolve(this);
  }
}

/** Whether the same request may succeed later: the network or the server was away for a moment. */
function worthAnotherTry(error) {
  if (error instanceof LoginNeeded) return false;
  if (error instanceof Refused) return LOST.has(error.status);
  return error instanceof Unreachable || error instanceof TypeError || error.name === "AbortError";
}
