/**
 * One answer of a chat app, as far as it has come: what its events or the history have said of it.
 *
 * Views watch it; several changes of one frame are told once.
 */

import { applyEvent, newRun } from "../run/run_state.js";

/** Words that say what an answer waits for or how it ended. */
export const STATES = ["waiting", "live", "paused", "done", "stopped", "failed"];

export class Answer {
  #listeners = new Set();
  #told = false;
  #floor = "";
  #text = "";

  constructor() {
    this.state = "waiting";
    /** How its stream stands: `live`, `reconnecting`, …; null while there is none. */
    this.connection = null;
    this.taskId = null;
    this.run = newRun();
    this.thoughts = new Map();
    this.files = new Map();
    this.sources = [];
    /** The forms that were answered, as the history has them. */
    this.filled = [];
    this.error = null;
    this.stopping = false;
  }

  /** Return the answer of a message of the history. */
  static ofHistory(message) {
    const answer = new Answer();
    answer.#text = message.answer ?? "";
    answer.state = { paused: "paused", error: "failed" }[message.status] ?? "done";
    answer.error = message.error ? { message: message.error, code: null } : null;
    answer.sources = message.retriever_resources ?? [];
    for (const thought of message.agent_thoughts ?? []) answer.#think(thought);
    for (const file of message.message_files ?? []) if (file.belongs_to === "assistant") answer.files.set(file.id, file);
    for (const block of message.extra_contents ?? []) if (block.submitted) answer.filled.push(block.form_submission_data);
    return answer;
  }

  /** The text that is shown: what is read again from the beginning never falls behind what was shown before. */
  get text() {
    return this.#floor.length > this.#text.length && this.#floor.startsWith(this.#text) ? this.#floor : this.#text;
  }

  /** Whether more may come. */
  get isOpen() {
    return this.isBusy || this.state === "paused";
  }

  /** Whether it is being made: one that waits for somebody's form is open, and nothing is busy with it. */
  get isBusy() {
    return this.state === "waiting" || this.state === "live";
  }

  /** Begin to read all events from the first one; what is shown stays until they have caught up with it. */
  replay() {
    this.#floor = this.text;
    this.#text = "";
    this.run = newRun();
    this.thoughts = new Map();
    this.state = this.state === "paused" ? "paused" : "waiting";
    this.error = null;
    this.changed();
  }

  /** Take an event of the answer's stream. */
  take(event) {
    this.taskId = event.task_id ?? this.taskId;
    if (!event.data) TAKERS[event.event]?.(this, event);
    else {
      applyEvent(this.run, event);
      RUN_TAKERS[event.event]?.(this, event.data);
    }
    this.changed();
  }

  /** Say how the stream stands. */
  connect(state) {
    this.connection = state;
    this.changed();
  }

  /** The stream has ended; `error` is what ended it early. */
  settle(error) {
    this.connection = null;
    this.stopping = false;
    if (error) {
      this.state = "failed";
      this.error = error;
    } else if (this.isOpen) this.state = "done";
    if (!error) this.#floor = "";
    this.changed();
  }

  /** Add to the text, or put another in its place. */
  say(text, { whole = false } = {}) {
    if (whole) this.#floor = "";
    this.#text = whole ? text : this.#text + text;
    if (this.state === "waiting") this.state = "live";
  }

  /** Take a thought as it stands now. */
  #think(thought) {
    this.thoughts.set(thought.id, { ...this.thoughts.get(thought.id), ...thought });
  }

  /** Take a thought of an event. */
  think(thought) {
    this.#think(thought);
    if (this.state === "waiting") this.state = "live";
  }

  /** Call `listener` at every change, once a frame. Returns what ends it. */
  watch(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tell those who watch. A page in the background gets no frames, but is told. */
  changed() {
    if (this.#told) return;
    this.#told = true;
    const tell = () => {
      this.#told = false;
      for (const listener of [...this.#listeners]) listener(this);
    };
    if (globalThis.document?.hidden === false) requestAnimationFrame(tell);
    else setTimeout(tell, 50);
  }
}

const TAKERS = {
  message: (answer, event) => answer.say(event.answer ?? ""),
  agent_message: (answer, event) => answer.say(event.answer ?? ""),
  message_replace: (answer, event) => answer.say(event.answer ?? "", { whole: true }),
  agent_thought: (answer, event) => answer.think(event),
  message_file: (answer, event) => answer.files.set(event.id, event),
  message_end(answer, event) {
    answer.sources = event.metadata?.retriever_resources ?? [];
    for (const file of event.files ?? []) answer.files.set(file.related_id ?? file.id, file);
    if (answer.run.runId === null) answer.state = answer.stopping ? "stopped" : "done";
  },
  error(answer, event) {
    answer.state = "failed";
    answer.error = event;
  },
};

const RUN_TAKERS = {
  workflow_started: (answer) => (answer.state = answer.text ? "live" : "waiting"),
  workflow_paused: (answer) => (answer.state = "paused"),
  workflow_finished(answer, data) {
    answer.state = { stopped: "stopped", failed: "failed" }[data.status] ?? "done";
    if (data.status === "failed") answer.error ??= { message: data.error ?? "", code: null };
  },
};
