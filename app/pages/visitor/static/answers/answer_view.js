/** One answer on the page: steps and thoughts folded, its text as it grows, files, forms, sources, what went wrong. */

import { appIcon, button, folded, spinner } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";
import { writtenText } from "../forms/written_text.js";
import { TextView } from "../render/stream.js";
import { fileList } from "../run/file_list.js";
import { runFold } from "./run_fold.js";
import { sourcesView } from "./sources_view.js";
import { thoughtsView } from "./thoughts_view.js";

/**
 * Make the view of an answer. `options`: `{app, form(data), again(), more}`: `form` makes the form of a paused run,
 * `again` asks once more, `more` are nodes below the text. Returns `{element, close()}`.
 */
export function answerView(answer, { app, form, again, more = [] }) {
  const text = h("div", { class: "answer-text written", dir: "auto" });
  const view = new TextView(text);
  const parts = [app.showSteps ? runFold() : hiddenPart(), thoughtsView(), sourcesView()];
  const [steps, thoughts, sources] = parts;
  const files = filesPart();
  const forms = formsPart(form);
  const filled = h("div", { class: "answer-filled" });
  const state = h("div", { class: "answer-state", hidden: true });
  const problem = h("div", { class: "answer-problem", hidden: true });
  const bar = h("div", { class: "answer-more", hidden: true }, more);
  const element = h(
    "div",
    { class: "answer" },
    app.iconForAnswers && appIcon(app.icon, "answer-icon"),
    h(
      "div",
      { class: "answer-body" },
      steps.element,
      thoughts.element,
      text,
      files.element,
      filled,
      forms.element,
      sources.element,
      state,
      problem,
      bar,
    ),
  );
  text.addEventListener("citation", (event) => sources.open(event.detail));
  const update = () => {
    element.dataset.state = answer.state;
    view.update(answer.text, { done: !answer.isBusy });
    text.hidden = !answer.text;
    for (const part of parts) part.update(answer);
    if (answer.sources.length) view.cite?.(answer.sources.length);
    files.update(answer);
    forms.update(answer);
    showFilled(filled, answer);
    showState(state, answer);
    showProblem(problem, answer, again);
    bar.hidden = answer.isOpen || (answer.state === "failed" && !answer.text);
  };
  update();
  const unwatch = answer.watch(update);
  return {
    element,
    close() {
      unwatch();
      view.close?.();
    },
  };
}

function hiddenPart() {
  return { element: null, update() {} };
}

/** The line that says what an open answer waits for; what is said once stays as it is, for readers of the screen. */
function showState(line, answer) {
  const words = stateWords(answer);
  line.hidden = !words;
  if (line.dataset.words === words) return;
  line.dataset.words = words;
  line.classList.toggle("reconnecting", answer.connection === "reconnecting");
  replace(line, words && answer.isOpen && answer.state !== "paused" && spinner(), words && h("span", {}, words));
}

function stateWords(answer) {
  if (answer.state === "stopped") return t("chat.stopped");
  if (!answer.isOpen) return answer.state === "done" && !answer.text && !answer.files.size ? t("chat.noText") : "";
  if (answer.connection === "reconnecting") return t("stream.reconnecting");
  if (answer.stopping) return t("chat.stopping");
  if (answer.state === "paused") {
    const here = answer.run.forms.some((form) => !form.closed && form.data.form_token && form.data.display_in_ui !== false);
    return here ? "" : t("chat.waitsElsewhere");
  }
  return answer.text ? "" : t("chat.thinking");
}

function showProblem(place, answer, again) {
  const failed = answer.state === "failed" && answer.error !== null;
  place.hidden = !failed;
  if (!failed || place.dataset.shown) return;
  place.dataset.shown = "yes";
  const words = answer.error instanceof Error ? wordsOf(answer.error) : answer.error.message || t("error.unknown");
  replace(
    place,
    h("p", { role: "alert", dir: "auto" }, words),
    again && button(t("error.tryAgain"), again, { class: "button button-plain button-small" }),
  );
}

function filesPart() {
  const element = h("div", { class: "answer-files" });
  let shown = "";
  return {
    element,
    update(answer) {
      const files = [...answer.files.values()];
      const seen = files.map((file) => file.id ?? file.related_id ?? file.url).join();
      if (seen === shown) return;
      shown = seen;
      replace(element, files.length > 0 && fileList(files));
    },
  };
}

/** The forms that were answered before this page was opened: what they said, and which action was taken. */
function showFilled(place, answer) {
  const filled = answer.run.forms.length ? [] : answer.filled;
  if (place.childElementCount === filled.length) return;
  replace(
    place,
    filled.map(({ node_title: title, rendered_content: content, action_text: action }) =>
      folded(t("chat.filled", { form: title ?? "", action: action ?? "" }), writtenText(content ?? ""), {
        class: "answer-fold",
      }),
    ),
  );
}

/** The forms of a run that waits, in the place where it waits. */
function formsPart(make) {
  const element = h("div", { class: "answer-forms" });
  const shown = new Map();
  return {
    element,
    update(answer) {
      for (const { data, closed } of answer.run.forms) {
        const known = shown.get(data.form_id);
        if (!known && !closed && data.form_token && data.display_in_ui !== false) {
          const made = make(data);
          shown.set(data.form_id, made);
          element.append(made.element);
        } else if (known && closed && !known.closed) {
          known.closed = true;
          known.end(closed.how === "timeout" ? "expired" : "sent", closed.action);
        }
      }
    },
  };
}
