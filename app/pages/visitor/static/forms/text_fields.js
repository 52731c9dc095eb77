/** Fields of one control: text, paragraph, number, select, checkbox and JSON object. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { fieldFrame } from "./field.js";
import { asText, jsonValue, lengthOf, numberValue, problemOf } from "./input_rules.js";

/** The field of a `text-input` or `paragraph`, with a counter where its length is limited. */
export function textField(field) {
  const control =
    field.type === "paragraph"
      ? h("textarea", { class: "field growing", rows: 3, dir: "auto" })
      : h("input", { class: "field", type: "text", dir: "auto", autocomplete: "off" });
  const frame = fieldFrame(control, field);
  const most = field.maxLength;
  const count = () => {
    if (!most) return;
    const length = lengthOf(control.value);
    frame.note.textContent = t("forms.length", { length, most });
    frame.note.classList.toggle("field-note-over", length > most);
  };
  control.addEventListener("input", count);
  return simpleField(field, frame, control, {
    get: () => control.value,
    set(value) {
      control.value = asText(value);
      count();
      frame.describe();
    },
  });
}

/** The field of a `number`. */
export function numberField(field) {
  const control = h("input", { class: "field", type: "text", inputmode: "decimal", autocomplete: "off", dir: "ltr" });
  return simpleField(field, fieldFrame(control, field), control, {
    get: () => numberValue(control.value),
    set: (value) => (control.value = asText(value)),
  });
}

/** The field of a `select`. A choice that nobody made is an empty text. */
export function selectField(field) {
  const nothing = h("option", { value: "" }, t(field.required ? "forms.choose" : "forms.none"));
  const options = field.options.map((option) => h("option", { value: option, dir: "auto" }, option));
  const control = h("select", { class: "field" }, nothing, options);
  return simpleField(field, fieldFrame(control, field), control, {
    get: () => (control.selectedIndex > 0 ? field.options[control.selectedIndex - 1] : ""),
    set: (value) => (control.selectedIndex = field.options.indexOf(asText(value)) + 1),
  });
}

/** The field of a `checkbox`. */
export function checkboxField(field) {
  const control = h("input", { type: "checkbox", class: "checkbox" });
  const frame = fieldFrame(control, { ...field, inline: true });
  return simpleField(field, frame, control, {
    get: () => control.checked,
    set: (value) => (control.checked = value === true || /^(true|1|yes|on)$/i.test(asText(value).trim())),
  });
}

/** The field of a `json_object`. */
export function jsonField(field) {
  const control = h("textarea", { class: "field code growing", rows: 4, dir: "ltr", spellcheck: "false" });
  const frame = fieldFrame(control, field);
  return simpleField(field, frame, control, {
    get: () => jsonValue(control.value),
    set: (value) => (control.value = asText(value, 2)),
  });
}

function simpleField(field, frame, control, { get, set }) {
  const check = () => {
    const wrong = problemOf(field, get());
    frame.problem(wrong ? t(wrong.key, wrong) : "");
    return !wrong;
  };
  // A field that was wrong says at once that it is right; one that nobody left yet says nothing.
  control.addEventListener("input", () => control.getAttribute("aria-invalid") === "true" && check());
  control.addEventListener("change", check);
  return {
    field,
    element: frame.element,
    control,
    get,
    set,
    check,
    focus: () => control.focus(),
    say: (text) => frame.problem(text),
    lock: (locked) => (control.disabled = locked),
  };
}
