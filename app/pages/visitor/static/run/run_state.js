/** What a run or a completion has come to, event by event (contract streaming.md §3). */

/** A run without any event yet. `inputs`: what was sent. */
export function newRun(inputs = {}) {
  return {
    inputs,
    status: "starting",
    text: "",
    outputs: null,
    files: [],
    steps: [],
    forms: [],
    error: "",
    messageId: null,
    runId: null,
    elapsed: null,
    tokens: null,
    startedAt: null,
  };
}

/** Whether nothing more will come. */
export function isOver(run) {
  return ["succeeded", "partial-succeeded", "failed", "stopped", "expired"].includes(run.status);
}

/** Change a run by an event. Events that say nothing about it are left out. */
export function applyEvent(run, event) {
  run.messageId = event.message_id ?? run.messageId;
  run.runId = event.workflow_run_id ?? run.runId;
  const apply = EVENTS[event.event];
  if (apply) apply(run, event.data ?? {}, event);
}

const EVENTS = {
  message: (run, data, event) => addText(run, event.answer),
  message_replace: (run, data, event) => (run.text = event.answer ?? ""),
  text_chunk: (run, data) => addText(run, data.text),
  text_replace: (run, data) => (run.text = data.text ?? ""),
  message_end(run, data, event) {
    run.files = event.files ?? [];
    run.status = "succeeded";
  },
  error(run, data, event) {
    run.status = "failed";
    run.error = event.message ?? "";
  },
  workflow_started(run, data) {
    run.status = "running";
    run.startedAt ??= data.created_at ?? null;
    if (data.reason !== "resumption" && data.inputs) run.inputs = shownInputs(data.inputs);
  },
  workflow_paused(run, data) {
    run.status = "paused";
    count(run, data);
  },
  workflow_finished(run, data) {
    run.status = data.status;
    run.error = data.error ?? "";
    run.outputs = data.outputs ?? null;
    run.files = data.files ?? [];
    // What never ended, ended with the run.
    for (const step of run.steps) if (step.status === "running") step.status = "stopped";
    run.forms = run.forms.filter((form) => form.closed);
    count(run, data);
  },
  node_started: startStep,
  node_finished: endStep,
  node_retry(run, data) {
    const step = stepOf(run, data);
    step.retries = data.retry_index ?? (step.retries ?? 0) + 1;
    step.error = data.error ?? "";
  },
  iteration_started: startContainer,
  iteration_next: nextRound,
  iteration_completed: endStep,
  loop_started: startContainer,
  loop_next: nextRound,
  loop_completed: endStep,
  agent_log(run, data) {
    const step = run.steps.findLast((one) => one.id === data.node_execution_id || one.nodeId === data.node_id);
    if (!step) return;
    const known = step.logs.find((log) => log.id === data.id);
    const log = {
      id: data.id,
      parent: data.parent_id ?? null,
      label: data.label ?? "",
      status: data.status,
      error: data.error ?? "",
    };
    if (known) Object.assign(known, log);
    else step.logs.push(log);
  },
  human_input_required(run, data) {
    const known = run.forms.find((form) => form.data.form_id === data.form_id);
    if (known) known.data = data;
    else run.forms.push({ data, closed: null });
  },
  human_input_form_filled: (run, data) =>
    closeForms(run, data, { how: "filled", action: data.action_text ?? "", content: data.rendered_content }),
  human_input_form_timeout: (run, data) => closeForms(run, data, { how: "timeout", action: "" }),
};

function addText(run, text) {
  run.text += text ?? "";
  if (run.status === "starting") run.status = "running";
}

function count(run, data) {
  run.elapsed = data.elapsed_time ?? run.elapsed;
  run.tokens = data.total_tokens ?? run.tokens;
}

/** The inputs without those that the system adds. */
function shownInputs(inputs) {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !name.startsWith("sys.")));
}

function stepOf(run, data) {
  let step = run.steps.findLast((one) => one.id === data.id);
  if (!step) {
    step = {
      id: data.id,
      nodeId: data.node_id,
      kind: data.node_type ?? "",
      title: data.title ?? "",
      status: "running",
      within: data.iteration_id ?? data.loop_id ?? null,
      startedAt: data.created_at ?? null,
      elapsed: null,
      error: "",
      rounds: null,
      round: 0,
      retries: 0,
      logs: [],
    };
    run.steps.push(step);
  }
  return step;
}

function startStep(run, data) {
  stepOf(run, data);
}

function startContainer(run, data) {
  const step = stepOf(run, data);
  step.rounds = data.metadata?.iteration_length ?? data.metadata?.loop_length ?? null;
}

function nextRound(run, data) {
  const step = run.steps.findLast((one) => one.id === data.id || one.nodeId === data.node_id);
  if (step) step.round = Number(data.index ?? step.round) + 1;
}

function endStep(run, data) {
  const step = stepOf(run, data);
  step.status = data.status ?? "succeeded";
  step.elapsed = data.elapsed_time ?? null;
  step.error = data.error ?? "";
  if (step.rounds !== null) step.round = step.rounds;
}

function closeForms(run, data, closed) {
  for (const form of run.forms) if (form.data.node_id === data.node_id) form.closed = closed;
}

/** What a run's outputs are to a reader: one text, or named values (contract client.md §8). */
export function resultOf(run) {
  const outputs = Object.entries(run.outputs ?? {});
  if (!outputs.length) return { text: run.text, parts: [] };
  if (outputs.length === 1 && typeof outputs[0][1] === "string") return { text: outputs[0][1], parts: [] };
  return { text: "", parts: outputs.map(([name, value]) => ({ name, value })) };
}

/** A run's result as one text, for the clipboard and for files. */
export function plainResult(run) {
  const { text, parts } = resultOf(run);
  if (!parts.length) return text;
  return JSON.stringify(Object.fromEntries(parts.map(({ name, value }) => [name, value])), null, 2);
}

/** The files within a value: file objects at any depth. */
export function filesIn(value, found = []) {
  if (Array.isArray(value)) value.forEach((one) => filesIn(one, found));
  else if (value && typeof value === "object") {
    if (value.dify_model_identity || (value.transfer_method && (value.url || value.remote_url))) found.push(value);
    else Object.values(value).forEach((one) => filesIn(one, found));
  }
  return found;
}
