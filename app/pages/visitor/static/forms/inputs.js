/** The form of an app's inputs: `user_input_form` of `GET /parameters` (contract endpoints.md, "Input form"). */

import { h } from "../core/dom.js";

import { fileField } from "./file_field.js";
import { fieldsOf, MALFORMED } from "./input_rules.js";
import { checkboxField, jsonField, numberField, selectField, textField } from "./text_fields.js";

const MAKERS = {
  "text-input": textField,
  paragraph: textField,
  number: numberField,
  select: selectField,
  checkbox: checkboxField,
  json_object: jsonField,
  json: jsonField,
  object: jsonField,
};

/**
 * Make the form's fields.
 *
 * `values`: what is filled in by name, before the fields' own defaults. `files`: the app's `system_parameters`.
 * `upload`: as for `fileField`.
 * Returns `{element, empty, values(), validate(), set(values), lock(locked), problem(name, text), onchange}`. `values()`
 * holds hidden fields too, and null for what cannot be read; `onchange` hears of every change; `validate()` shows what is wrong, moves the focus to the first wrong field and says whether
 * all is right.
 */
export function inputsForm(userInputForm, { values = {}, files = {}, upload }) {
  const declared = fieldsOf(userInputForm);
  const filled = (field) => (field.name in values ? values[field.name] : field.initial);
  const hidden = declared.filter((field) => field.hidden);
  const fields = declared
    .filter((field) => !field.hidden)
    .map((field) => {
      const file = field.type === "file" || field.type === "file-list";
      const made = file ? fileField(field, { limits: files, upload }) : (MAKERS[field.type] ?? textField)(field);
      made.set(filled(field));
      return made;
    });
  const element = h(
    "div",
    { class: "fields" },
    fields.map((made) => made.element),
  );
  const form = {
    element,
    empty: fields.length === 0,
    onchange: null,
    values() {
      const sent = hidden.map((field) => [field.name, hiddenValue(field, filled(field))]);
      return Object.fromEntries([...sent, ...fields.map((made) => [made.field.name, readable(made.get())])]);
    },
    validate() {
      const wrong = fields.filter((made) => !made.check());
      wrong[0]?.focus();
      return wrong.length === 0;
    },
    set(given) {
      for (const made of fields) made.set(made.field.name in given ? given[made.field.name] : made.field.initial);
    },
    lock: (locked) => fields.forEach((made) => made.lock(locked)),
    problem(name, text) {
      const made = fields.find((other) => other.field.name === name);
      made?.say(text);
      made?.focus();
      return Boolean(made);
    },
  };
  element.addEventListener("input", () => form.onchange?.());
  return form;
}

/** A value that can be kept and sent; null for a text that cannot be read as what its field asks for. */
function readable(value) {
  return value === MALFORMED ? null : value;
}

/** A hidden field's value as it is sent: texts from a link become what their type asks for. */
function hiddenValue(field, value) {
  if (typeof value !== "string") return value;
  if (field.type === "number") return value.trim() === "" ? null : value;
  if (!["json_object", "json", "object", "file", "file-list"].includes(field.type)) return value;
  try {
    return JSON.parse(value);
  } catch (wrong) {
    if (wrong instanceof SyntaxError) return null;
    throw wrong;
  }
}
