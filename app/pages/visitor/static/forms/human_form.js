/** The form of a paused run (contract human-input.md): its content, its inputs in it, and its actions. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { dropDraft, keepDraft, readDraft } from "./drafts.js";
import { fileField } from "./file_field.js";
import { contentParts, inputDefault, inputField } from "./form_content.js";
import { selectField, textField } from "./text_fields.js";
import { timeLeft } from "./time_left.js";
import { writtenText } from "./written_text.js";

const BUTTONS = { primary: "primary", default: "plain", accent: "accent", ghost: "ghost" };
/** What an answer's error means for the form. */
export const ENDS = {
  human_input_form_submitted: "answered",
  human_input_form_expired: "expired",
  not_found: "unknown",
  forbidden: "notForYou",
};

/**
 * Make the form.
 *
 * `form`: the body of `GET /form/human_input/{token}`, or `data` of the event `human_input_required`.
 * `submit({inputs, action})` sends the answer and rejects with an error of a `code` and a `message`.
 * `upload`: as for `fileField`; `limits`: the app's `system_parameters` where they are known.
 * Returns `{element, end(how, {action, content}), stop()}`; `end` shows that the form is closed: `sent`, `answered`,
 * `expired`, `unknown` or `notForYou`. `content`: the form's text with what was filled in, in the place of the fields.
 */
export function humanForm(form, { submit, upload, limits = {}, onend = () => {} }) {
  const name = `form:${form.form_token ?? form.form_id ?? ""}`;
  const draft = readDraft(name) ?? {};
  const fields = [];
  const content = contentParts(form.form_content ?? "", form.inputs ?? []).map((part) => {
    if (!part.input) return writtenText(part.text);
    const made = fieldFor(part.input, { upload, limits });
    const typed = draft[made.field.name];
    made.set(typed ?? inputDefault(part.input, form.resolved_default_values));
    fields.push(made);
    return made.element;
  });
  const body = h("div", { class: "human-form-content" }, content);
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const status = h("p", { class: "form-end", role: "status", tabindex: "-1", hidden: true });
  const left = form.expiration_time
    ? timeLeft(form.expiration_time, { onend: () => made.onexpire?.() })
    : { element: null, stop() {} };
  const buttons = (form.actions ?? form.user_actions ?? []).map((action) =>
    h("button", { type: "button", class: buttonClass(action.button_style), onclick: () => send(action) }, action.title),
  );
  const actions = h("div", { class: "form-actions", role: "group", "aria-label": t("form.actions") }, buttons);
  const element = h(
    "section",
    { class: "human-form", "aria-label": form.node_title || t("form.name") },
    form.node_title ? h("h2", { class: "human-form-title", dir: "auto" }, form.node_title) : null,
    body,
    problem,
    actions,
    left.element,
    status,
  );
  const lock = (locked) => {
    fields.forEach((one) => one.lock(locked));
    buttons.forEach((button) => (button.disabled = locked));
    element.setAttribute("aria-busy", String(locked));
  };
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };

  async function send(action) {
    say("");
    const wrong = fields.filter((one) => !one.check());
    if (wrong.length) return wrong[0].focus();
    const inputs = Object.fromEntries(fields.map((one) => [one.field.name, one.get()]));
    lock(true);
    try {
      await submit({ inputs, action: action.id });
      made.end("sent", { action: action.title });
      return status.focus({ preventScroll: true });
    } catch (error) {
      if (ENDS[error.code]) return made.end(ENDS[error.code]);
      lock(false);
      return say(error.message || t("form.notSent"));
    }
  }

  element.addEventListener("input", () => {
    const typed = fields.filter((one) => typeof one.get() === "string").map((one) => [one.field.name, one.get()]);
    keepDraft(name, Object.fromEntries(typed));
  });
  const made = {
    element,
    onexpire: null,
    end(how, { action = "", content: filled } = {}) {
      left.stop();
      dropDraft(name);
      lock(true);
      element.setAttribute("aria-busy", "false");
      actions.hidden = true;
      if (left.element) left.element.hidden = true;
      say("");
      element.classList.add("human-form-closed");
      if (filled) body.replaceChildren(writtenText(filled));
      if (!status.hidden) return;
      status.textContent = t(`form.${how}`, { action });
      status.hidden = false;
      onend(how);
    },
    stop: () => left.stop(),
  };
  return made;
}

function fieldFor(input, { upload, limits }) {
  const field = inputField(input);
  if (input.type === "file" || input.type === "file-list") return fileField(field, { limits, upload });
  return input.type === "select" ? selectField(field) : textField(field);
}

function buttonClass(style) {
  return `button button-${BUTTONS[style] ?? "plain"}`;
}
