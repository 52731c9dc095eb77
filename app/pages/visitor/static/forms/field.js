/** The frame of every field: label, description, control, counter and problem, tied to each other for screen readers. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";

let made = 0;

/** An id that no other element of the page has. */
export function newId(what) {
  made += 1;
  return `${what}-${made}`;
}

/**
 * Put a control into its frame.
 *
 * `about`: `{label, description, required, group}`; `group` for a field of several controls (files), whose label names
 * the group.
 * Returns `{element, problem(text), note}`: `problem("")` takes the problem away, `note` is the place of a counter.
 */
export function fieldFrame(control, about) {
  const id = control.id || (control.id = newId("field"));
  const description = about.description
    ? h("p", { class: "field-description", id: `${id}-about` }, about.description)
    : null;
  const problem = h("p", { class: "field-problem", id: `${id}-problem`, hidden: true });
  const note = h("span", { class: "field-note", id: `${id}-note` });
  const title = [
    h("span", { dir: "auto" }, about.label),
    about.required || about.inline ? null : [" ", h("span", { class: "field-optional" }, t("forms.optional"))],
  ];
  const label = about.group
    ? h("span", { class: "field-label", id: `${id}-label` }, title)
    : h("label", { class: "field-label", for: id }, title);
  const describe = (wrong) => {
    const parts = [description?.id, note.textContent && note.id, wrong && problem.id].filter(Boolean);
    if (parts.length) control.setAttribute("aria-describedby", parts.join(" "));
    else control.removeAttribute("aria-describedby");
  };
  if (about.group) {
    control.setAttribute("role", "group");
    control.setAttribute("aria-labelledby", label.id);
  } else if (about.required) {
    control.setAttribute("aria-required", "true");
  }
  const heading = h("div", { class: "field-heading" }, label, note);
  const element = about.inline
    ? h(
        "div",
        { class: "form-field form-field-inline" },
        h("div", { class: "field-line" }, control, label),
        description,
        problem,
      )
    : h("div", { class: "form-field" }, heading, description, control, problem);
  describe(false);
  return {
    element,
    note,
    describe: () => describe(!problem.hidden),
    problem(text) {
      problem.textContent = text;
      problem.hidden = !text;
      element.classList.toggle("field-wrong", Boolean(text));
      if (!about.group) control.setAttribute("aria-invalid", text ? "true" : "false");
      describe(Boolean(text));
    },
  };
}
