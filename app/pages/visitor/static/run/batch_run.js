/** The run of one row of a batch, from its beginning or from where an earlier page left it. */

import { readFrames } from "../client/sse.js";
import { TaskStream } from "../client/task_stream.js";
import { applyEvent, isOver, newRun, plainResult } from "./run_state.js";

const ASK_MS = 10_000;
const BETWEEN_MS = 1_000;

/**
 * Return what `BatchQueue` calls for a row. `named(row)` is called when the row has a task that can be read on.
 * A row that waits for somebody has the token of its form in `form`.
 */
export function rowRunner({ desk, mode }, named) {
  const path = mode === "workflow" ? "/workflows/run" : "/completion-messages";
  const ask = oneAtATime((id) => framesOf(desk, id));
  return async (row, signal, waits) => {
    const run = newRun(row.inputs);
    const stream = new TaskStream(desk, {
      onEvent(event) {
        applyEvent(run, event);
        row.form = openForm(event) ?? row.form;
        if (!row.task && stream.resumeId) {
          row.task = stream.resumeId;
          named(row);
        }
        // A browser has six connections to a server: a run that waits for people must not hold one.
        if (event.event === "workflow_paused") stream.close();
      },
    });
    const give = () => {
      if (stream.taskId && !isOver(run)) desk.stop(stream.taskId, mode).catch(() => stream.close());
      stream.close();
    };
    signal.addEventListener("abort", give, { once: true });
    try {
      if (row.task) stream.resume(row.task, 0);
      else await stream.begin(path, { response_mode: "streaming", inputs: row.inputs });
      await stream.ended;
    } finally {
      signal.removeEventListener("abort", give);
    }
    if (run.status === "paused") {
      waits();
      await answered(run, row, { ask, signal, named });
    }
    row.form = null;
    if (run.status === "succeeded" || run.status === "partial-succeeded") return plainResult(run);
    throw stream.error ?? new Error(run.error || run.status);
  };
}

/** The token of the form that an event asks people with. */
function openForm(event) {
  return event.event === "human_input_required" ? event.data.form_token : null;
}

/** Wait until people have answered and the run has ended. Throws Refused where the run is gone. */
async function answered(run, row, { ask, signal, named }) {
  while (run.status === "paused") {
    await rest(ASK_MS, signal);
    if (signal.aborted) throw new DOMException("The batch was stopped.", "AbortError");
    let form = null;
    for (const { event } of await ask(row.task)) {
      if (!event) continue;
      applyEvent(run, event);
      form = openForm(event) ?? form;
    }
    if (form !== row.form) {
      row.form = form ?? row.form;
      named(row);
    }
  }
}

/** The frames that say how a run stands; none where the server cannot be reached. */
async function framesOf(desk, id) {
  const frames = [];
  try {
    const query = { include_state_snapshot: true };
    const response = await desk.request("GET", `/workflow/${encodeURIComponent(id)}/events`, { query });
    await readFrames(response, (frame) => frames.push(frame));
  } catch (wrong) {
    if (wrong.name !== "Unreachable" && !(wrong instanceof TypeError)) throw wrong;
  }
  return frames;
}

/** Return a function that does its work for one caller after the other, with a moment between them. */
function oneAtATime(work) {
  let last = Promise.resolve();
  return (id) => {
    const mine = last.then(() => work(id));
    last = mine.then(
      () => rest(BETWEEN_MS),
      () => rest(BETWEEN_MS),
    );
    return mine;
  };
}

function rest(milliseconds, signal = undefined) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
