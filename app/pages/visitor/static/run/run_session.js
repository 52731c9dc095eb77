/** One run from its first request to its last event: begun, read on after a cut or a reload, stopped. */

import { SpokenAnswer } from "../answers/speech.js";
import { TaskStream } from "../client/task_stream.js";
import { applyEvent, isOver, newRun } from "./run_state.js";

/** The listeners: `changed(run)` after events, once a frame; `connection(state)`; `begun(id)` with the id to read on by. */
export class RunSession {
  constructor(desk, mode, { changed, connection = () => {}, begun = () => {} }) {
    this._desk = desk;
    this._mode = mode;
    this._changed = changed;
    this._begun = begun;
    this._known = false;
    this._stopWanted = false;
    this._drawing = 0;
    this._spoken = null;
    this.run = newRun();
    this.stream = new TaskStream(desk, {
      onEvent: (event) => this._take(event),
      onState: (state) => {
        connection(state);
        if (state === "ended") this._end();
      },
    });
  }

  /** Run the app with inputs and, where it takes any, files. Throws what the server refuses it for. */
  async start(inputs, files = undefined) {
    this.run = newRun(inputs);
    const path = this._mode === "workflow" ? "/workflows/run" : "/completion-messages";
    this._spoken = new SpokenAnswer();
    this._draw();
    await this.stream.begin(path, { response_mode: "streaming", inputs, files });
    return this;
  }

  /** Let a completion be written again, from the same inputs. */
  async startLike(messageId) {
    this._draw();
    const path = `/messages/${encodeURIComponent(messageId)}/more-like-this?response_mode=streaming`;
    await this.stream.begin(path, undefined, "GET");
    return this;
  }

  /** Read on a run that was begun earlier, from its first event. */
  resume(id) {
    this._known = true;
    this._draw();
    this.stream.resume(id, 0);
    return this;
  }

  /** Stop the run, at the latest as soon as it has an id. */
  stop() {
    this._stopWanted = true;
    const id = this.stream.taskId;
    if (!id || isOver(this.run)) return;
    this._stopWanted = false;
    if (this.run.status !== "paused") this.run.status = "stopping";
    this._draw();
    this._desk.stop(id, this._mode).catch((wrong) => this._fail(wrong));
  }

  /** Stop reading; the run itself goes on. */
  close() {
    cancelAnimationFrame(this._drawing);
    this.stream.close();
  }

  _take(event) {
    // What is read again after a reload is not spoken again.
    if (event.event?.startsWith("tts_message")) return this._spoken?.take(event);
    const stopping = this.run.status === "stopping";
    applyEvent(this.run, event);
    if (stopping && !isOver(this.run)) this.run.status = "stopping";
    if (stopping && event.event === "message_end") this.run.status = "stopped";
    if (!this._known && this.stream.resumeId) {
      this._known = true;
      this._begun(this.stream.resumeId);
    }
    if (this._stopWanted) this.stop();
    this._draw();
  }

  _end() {
    if (!isOver(this.run) && this.stream.error) this._fail(this.stream.error);
    // A task that ended before this page came has nothing more to say.
    else if (!isOver(this.run)) this.run.status = "expired";
    this._draw();
  }

  _fail(wrong) {
    this.run.status = "failed";
    this.run.error = wrong.message;
    this.run.gone = wrong.status === 404;
    this._draw();
  }

  _draw() {
    if (this._drawing) return;
    this._drawing = requestAnimationFrame(() => {
      this._drawing = 0;
      this._changed(this.run);
    });
  }
}
