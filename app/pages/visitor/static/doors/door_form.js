/** The frame of the forms at the doors: fields, one button, one place for what went wrong. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { newId } from "../forms/field.js";

/**
 * Make a form. `fields`: elements with a `control`. `send()` does the work; what it throws is shown.
 * Returns `{element, say(text)}`.
 */
export function doorForm({ fields, button, send, links = [], busy = t("door.wait") }) {
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { type: "submit", class: "button button-primary" }, button);
  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const element = h(
    "form",
    {
      class: "door-form",
      novalidate: true,
      async onsubmit(event) {
        event.preventDefault();
        const empty = fields.find((field) => !field.check());
        if (empty || submit.disabled) return empty?.control.focus();
        say("");
        submit.disabled = true;
        submit.textContent = busy;
        try {
          return await send();
        } catch (wrong) {
          return say(doorProblem(wrong));
        } finally {
          submit.disabled = false;
          submit.textContent = button;
        }
      },
    },
    fields.map((field) => field.element),
    problem,
    submit,
    links.length ? h("div", { class: "door-links" }, links) : null,
  );
  return { element, say };
}

const KNOWN = new Set([
  "authentication_failed",
  "account_banned",
  "email_code_error",
  "invalid_or_expired_token",
  "invalid_email",
  "password_mismatch",
  "email_send_ip_limit",
  "password_reset_rate_limit_exceeded",
  "email_code_login_rate_limit_exceeded",
  "email_password_reset_limit",
  "email_password_login_limit",
]);

/** What went wrong at a door, in the visitor's language where we know it. */
export function doorProblem(wrong) {
  if (KNOWN.has(wrong.code)) return t(`door.problem.${wrong.code}`);
  if (wrong.status === 404) return t("door.off");
  return wrong.name === "Unreachable" ? t("error.unreachable") : wrong.message;
}

/** Make a field of a door: an input with its label and its problem. */
export function doorField({
  label,
  type = "text",
  name,
  autocomplete,
  inputmode,
  check = (value) => (value.trim() ? "" : t("forms.required")),
  value = "",
}) {
  const id = newId("door");
  const control = h("input", {
    id,
    class: "field",
    type,
    name,
    autocomplete,
    inputmode,
    dir: "auto",
    value,
    "aria-required": "true",
  });
  const problem = h("p", { class: "field-problem", id: `${id}-problem`, hidden: true });
  const field = {
    control,
    element: h("div", { class: "form-field" }, h("label", { class: "field-label", for: id }, label), control, problem),
    get value() {
      return control.value;
    },
    check() {
      const wrong = check(control.value);
      problem.textContent = wrong;
      problem.hidden = !wrong;
      control.setAttribute("aria-invalid", wrong ? "true" : "false");
      field.element.classList.toggle("field-wrong", Boolean(wrong));
      if (wrong) control.setAttribute("aria-describedby", problem.id);
      else control.removeAttribute("aria-describedby");
      return !wrong;
    },
  };
  control.addEventListener("input", () => control.getAttribute("aria-invalid") === "true" && field.check());
  return field;
}

/** The field of an e-mail address. */
export function emailField(value = "") {
  return doorField({
    label: t("door.email"),
    type: "email",
    name: "email",
    autocomplete: "username",
    value,
    check: (text) => (/^\S+@\S+$/.test(text.trim()) ? "" : t("door.badEmail")),
  });
}

/** A password's field, with a button that shows what was typed. */
export function passwordField({ label = t("door.password"), autocomplete = "current-password", check } = {}) {
  const field = doorField({
    label,
    type: "password",
    name: "password",
    autocomplete,
    check: check ?? ((text) => (text ? "" : t("forms.required"))),
  });
  const show = h(
    "button",
    {
      type: "button",
      class: "button button-small",
      "aria-pressed": "false",
      onclick() {
        const shown = field.control.type === "text";
        field.control.type = shown ? "password" : "text";
        show.setAttribute("aria-pressed", String(!shown));
      },
    },
    t("door.show"),
  );
  const line = h("div", { class: "door-line" });
  field.control.replaceWith(line);
  line.append(field.control, show);
  return field;
}

/** The field of a mailed code of six digits. */
export function codeField() {
  return doorField({
    label: t("door.code"),
    name: "code",
    autocomplete: "one-time-code",
    inputmode: "numeric",
    check: (text) => (/^\d{6}$/.test(text.replace(/\s/g, "")) ? "" : t("door.badCode")),
  });
}
