/** One run on the page: its state, its result as it grows, its forms, its details, and what can be done with it. */

import { h } from "../core/dom.js";
import { secondsText } from "../core/formats.js";
import { t } from "../core/texts.js";
import { newId } from "../forms/field.js";
import { growingText } from "../forms/written_text.js";
import { fileList } from "./file_list.js";
import { isOver, resultOf } from "./run_state.js";
import { stepsView } from "./steps_view.js";
import { jsonView, namedValues } from "./value_view.js";

/**
 * Make the view of a run.
 *
 * `steps`: whether the app shows its steps. `forms(data)` makes the form of a paused run: `{element, end(how, action)}`.
 * `actions`: elements under the result, such as copy and like.
 * Returns `{element, update(run), connection(state)}`; `connection` shows how the stream stands.
 */
export function runView({ steps = true, forms, actions = [] }) {
  const status = h("p", { class: "run-status", role: "status" });
  const connection = h("p", { class: "run-connection", role: "status", hidden: true });
  const text = growingText();
  const parts = h("div", { class: "run-parts" });
  const files = h("div", {});
  const problem = h("p", { class: "run-problem", role: "alert", hidden: true, dir: "auto" });
  const places = h("div", { class: "run-forms" });
  const footer = h("div", { class: "run-actions", hidden: true }, actions);
  const details = detailsView(steps);
  const element = h(
    "article",
    { class: "run", "aria-label": t("run.result") },
    status,
    connection,
    h("div", { class: "run-result" }, text.element, parts, files),
    problem,
    places,
    footer,
    details.element,
  );
  const shownForms = new Map();
  let over = false;

  const showForms = (run) => {
    for (const form of run.forms) {
      if (form.data.display_in_ui === false || !form.data.form_token) continue;
      const known = shownForms.get(form.data.form_id);
      if (!known && !form.closed) {
        const made = forms(form.data);
        shownForms.set(form.data.form_id, made);
        places.append(made.element);
      } else if (known && form.closed && !known.closed) {
        known.closed = true;
        known.end(form.closed.how === "timeout" ? "expired" : "sent", form.closed);
      }
    }
  };
  return {
    element,
    update(run) {
      element.dataset.status = run.status;
      setText(status, statusText(run));
      element.setAttribute("aria-busy", String(!isOver(run) && run.status !== "paused"));
      details.update(run);
      showForms(run);
      if (!isOver(run)) return text.update(run.text);
      if (over) return undefined;
      over = true;
      const result = resultOf(run);
      text.update(result.text, { done: true });
      if (result.parts.length) parts.replaceChildren(namedValues(result.parts));
      if (run.files.length && !result.parts.length) files.replaceChildren(fileList(run.files));
      problem.textContent = run.status === "stopped" ? "" : run.error;
      problem.hidden = !problem.textContent;
      footer.hidden = false;
      if (!result.text && !result.parts.length && !run.files.length && !run.error) {
        parts.replaceChildren(h("p", { class: "nothing" }, t("run.nothing")));
      }
      return undefined;
    },
    connection(state) {
      connection.hidden = state !== "reconnecting";
      setText(connection, state === "reconnecting" ? t("stream.reconnecting") : "");
    },
  };
}

/** Set a text where it differs, so that live regions speak once. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function statusText(run) {
  if (run.status === "paused" && !run.forms.some((form) => !form.closed && form.data.form_token))
    return t("run.is.waitsElsewhere");
  return t(`run.is.${run.status}`);
}

function detailsView(withSteps) {
  const summary = h("summary", {}, t("run.details"));
  const steps = stepsView();
  const facts = h("p", { class: "run-facts" });
  const inputs = h("div", {});
  const outputs = h("div", {});
  const section = (title, content) => {
    const id = newId("details");
    return h("section", { class: "run-section", "aria-labelledby": id, hidden: true }, h("h3", { id }, title), content);
  };
  const stepSection = section(t("run.steps"), steps.element);
  const inputSection = section(t("run.inputs"), inputs);
  const outputSection = section(t("run.outputs"), outputs);
  const element = h(
    "details",
    { class: "run-details", hidden: true },
    summary,
    facts,
    stepSection,
    inputSection,
    outputSection,
  );
  let over = false;
  return {
    element,
    update(run) {
      const running = run.steps.findLast((step) => step.status === "running");
      element.hidden = !run.runId;
      if (withSteps) {
        steps.update(run);
        stepSection.hidden = !run.steps.length;
        setText(summary, running ? t("run.detailsNow", { step: running.title }) : t("run.details"));
      }
      const known = [
        run.elapsed === null ? "" : t("run.took", { time: secondsText(run.elapsed) }),
        run.tokens ? t("run.tokens", { count: run.tokens }) : "",
      ];
      facts.textContent = known.filter(Boolean).join(" · ");
      if (inputSection.hidden && Object.keys(run.inputs).length) {
        inputs.replaceChildren(jsonView(run.inputs));
        inputSection.hidden = false;
      }
      if (over || !isOver(run)) return;
      over = true;
      if (run.outputs && Object.keys(run.outputs).length) {
        outputs.replaceChildren(jsonView(run.outputs));
        outputSection.hidden = false;
      }
    },
  };
}
