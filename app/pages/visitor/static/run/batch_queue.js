/** Runs the rows of a batch, a few at a time, and slows down where the server asks for it. */

export const AT_ONCE = 3;
const FIRST_WAIT = 4000;
const LONGEST_WAIT = 60000;
const MOST_WAITS = 20;

/**
 * The queue of a batch.
 *
 * `rows`: `{inputs, state, output, error, task, unfit}`; `state` is `waiting`, `running`, `paused`, `done` or `failed`.
 * `run(row, signal, waits)` resolves to the output of a row, or rejects with an error of `status`, `message` and, where
 * the server named them, `retryAfter` seconds. It calls `waits()` where the row waits for somebody: the next row begins.
 * `changed(row)` is called after each change, `paused(seconds)` when all rows wait for the server (0: they go on).
 */
export class BatchQueue {
  constructor(rows, { run, changed, paused = () => {}, atOnce = AT_ONCE }) {
    this.rows = rows;
    this._run = run;
    this._changed = changed;
    this._paused = paused;
    this._atOnce = atOnce;
    this._waits = 0;
    this._resting = null;
    this._stopping = new AbortController();
  }

  /** Run all rows that wait; resolves when none is left or the queue was stopped. */
  async start() {
    const lanes = Array.from({ length: this._atOnce }, (_, lane) => this._work(lane));
    await Promise.all(lanes);
  }

  /** Start no more rows, and give up those that run. */
  stop() {
    this._stopping.abort();
  }

  get stopped() {
    return this._stopping.signal.aborted;
  }

  async _work(lane) {
    while (!this.stopped) {
      await this._resting;
      // After the server asked for patience one lane goes on alone.
      if (lane > 0 && this._waits > 2) return;
      const row = this.rows.find((one) => one.state === "waiting");
      if (!row || this.stopped) return;
      await new Promise((next) => this._one(row, next).then(next));
    }
  }

  async _one(row, next) {
    this._set(row, { state: "running", error: "" });
    try {
      const output = await this._run(row, this._stopping.signal, () => {
        this._set(row, { state: "paused" });
        next();
      });
      this._waits = 0;
      this._set(row, { state: "done", output, error: "" });
    } catch (wrong) {
      // A run that waits for people goes on waiting: nothing stops it.
      if (this.stopped && row.state === "paused") return;
      if (this.stopped) this._set(row, { state: "waiting", task: null });
      else if (wrong.status === 429 && this._waits < MOST_WAITS) {
        this._set(row, { state: "waiting", task: null });
        await this._rest(wrong.retryAfter);
      } else this._set(row, { state: "failed", error: wrong.message || String(wrong) });
    }
  }

  /** Let every lane wait as long as the server says, or twice as long as the last time. */
  _rest(seconds) {
    if (this._resting) return this._resting;
    this._waits += 1;
    const wait = seconds
      ? Math.min(seconds * 1000, 10 * LONGEST_WAIT)
      : Math.min(FIRST_WAIT * 2 ** (this._waits - 1), LONGEST_WAIT);
    this._paused(Math.ceil(wait / 1000));
    this._resting = new Promise((resolve) => {
      const timer = setTimeout(resolve, wait);
      this._stopping.signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
    }).then(() => {
      this._resting = null;
      this._paused(0);
    });
    return this._resting;
  }

  _set(row, change) {
    Object.assign(row, change);
    this._changed(row);
  }
}
