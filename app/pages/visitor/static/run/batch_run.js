/** The run of one row of a batch, from its beginning or from where an earlier page left it. */

import { TaskStream } from "../client/task_stream.js";
import { applyEvent, isOver, newRun, plainResult } from "./run_state.js";

/**
 * Return what `BatchQueue` calls for a row. `named(row)` is called when the row has a task that can be read on.
 * A row that waits for somebody has the token of its form in `form`.
 */
export function rowRunner({ desk, mode }, named) {
  const path = mode === "workflow" ? "/workflows/run" : "/completion-messages";
  return async (row, signal, waits) => {
    const run = newRun(row.inputs);
    const stream = new TaskStream(desk, {
      onEvent(event) {
        applyEvent(run, event);
        if (!row.task && stream.resumeId) {
          row.task = stream.resumeId;
          named(row);
        }
        if (event.event !== "workflow_paused") return;
        row.form = run.forms.find((form) => !form.closed)?.data.form_token ?? null;
        waits();
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
    row.form = null;
    if (run.status === "succeeded" || run.status === "partial-succeeded") return plainResult(run);
    throw stream.error ?? new Error(run.error || run.status);
  };
}
