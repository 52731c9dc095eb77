/** The beginning of a conversation: what the app says of itself, its inputs, its opening statement, first questions. */

import { appIcon, button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { smallPrint } from "../core/frame.js";
import { t } from "../core/texts.js";
import { inputsForm } from "../forms/inputs.js";
import { appUploads } from "../forms/uploads.js";
import { writtenText } from "../forms/written_text.js";

const VARIABLE = /\{\{\s*([\w.]+)\s*\}\}/g;

/**
 * Make the beginning of the thread that is shown. `handed`: inputs that the page's address hands over.
 * Returns `{element, ready(), close()}`; `ready` says whether the inputs are filled in, and shows what is missing.
 */
export function welcome(chat, handed, onStart) {
  const { app, thread } = chat;
  const isNew = thread.id === "" && thread.messages.length === 0;
  const form = inputsForm(app.parameters.user_input_form ?? [], {
    values: thread.inputs ?? handed,
    files: app.parameters.system_parameters,
    upload: appUploads(chat.desk),
  });
  const opening = h("div", { class: "opening" });
  const ready = () => {
    if (!isNew || form.empty) return true;
    if (!form.validate()) {
      details.open = true;
      form.validate();
      return false;
    }
    return true;
  };
  const take = () => {
    thread.inputs = form.values();
    showOpening();
  };
  form.onchange = take;
  const details = inputsPart(form, { isNew, onStart: () => ready() && onStart() });
  function showOpening() {
    const statement = app.parameters.opening_statement;
    const filled = statement ? withInputs(statement, thread.inputs ?? {}) : "";
    const said = chat.list.find(thread.id)?.introduction || filled;
    opening.replaceChildren(...[said && bubble(app, said)].filter(Boolean));
  }
  if (isNew || thread.inputs === null) take();
  else showOpening();
  const questions = isNew ? firstQuestions(chat, ready) : null;
  const element = h(
    "section",
    { class: ["welcome", isNew && "new"], "aria-label": t("chat.beginning") },
    isNew && h("div", { class: "welcome-app" }, appIcon(app.icon, "welcome-icon"), aboutApp(app)),
    form.empty ? null : details,
    opening,
    questions,
    isNew && smallPrint(app),
  );
  return { element, ready };
}

function aboutApp(app) {
  return [h("h2", { dir: "auto" }, app.title), app.description && h("p", { class: "soft", dir: "auto" }, app.description)];
}

function inputsPart(form, { isNew, onStart }) {
  const details = h(
    "details",
    { class: "inputs", open: isNew },
    h("summary", {}, t("chat.inputs")),
    form.element,
    isNew && h("div", { class: "actions" }, button(t("chat.start"), onStart, { kind: "primary" })),
  );
  if (!isNew) form.lock(true);
  return details;
}

function bubble(app, text) {
  return h(
    "div",
    { class: "answer" },
    app.iconForAnswers && appIcon(app.icon, "answer-icon"),
    h("div", { class: "answer-body" }, writtenText(text)),
  );
}

/** Put inputs in the place of `{{name}}`; what has no value stays as it is. */
function withInputs(text, inputs) {
  return text.replace(VARIABLE, (whole, name) => {
    const value = inputs[name];
    return value === undefined || value === null || value === "" || typeof value === "object" ? whole : String(value);
  });
}

function firstQuestions(chat, ready) {
  const questions = (chat.app.parameters.suggested_questions ?? []).filter((question) => question?.trim());
  return questions.length ? suggestions(questions, (question) => ready() && chat.ask(question)) : null;
}

/** Return questions to choose from. */
export function suggestions(questions, choose) {
  return h(
    "ul",
    { class: "suggestions", "aria-label": t("chat.suggestions") },
    questions.map((question) =>
      h("li", {}, h("button", { type: "button", class: "suggestion", dir: "auto", onclick: () => choose(question) }, question)),
    ),
  );
}
