/** Dialogs above the page: the browser's own `<dialog>`, which keeps the focus within and closes by Escape. */

import { h } from "./dom.js";
import { button, iconButton } from "./controls.js";
import { t } from "./texts.js";

let made = 0;

/**
 * Show a dialog. `content`: nodes; `actions(close)`: its buttons. Returns `{element, closed}`: `closed` resolves with
 * what `close` was called with, undefined by Escape.
 */
export function showDialog({ title, content, actions = () => [], className = "" }) {
  const id = `dialog-${(made += 1)}`;
  let result;
  const close = (value) => {
    result = value;
    element.close();
  };
  const element = h(
    "dialog",
    { class: ["dialog", className], "aria-labelledby": id },
    h("header", { class: "dialog-head" }, h("h2", { id }, title), iconButton("close", t("common.close"), () => close())),
    h("div", { class: "dialog-content" }, content),
    h("div", { class: "actions" }, actions(close)),
  );
  element.addEventListener("click", (event) => event.target === element && close());
  document.body.append(element);
  const closed = new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      resolve(result);
    });
  });
  element.showModal();
  return { element, closed, close };
}

/** Ask for a yes; resolves with whether it was given. */
export async function confirmed({ title, text, yes, kind = "danger" }) {
  const { closed } = showDialog({
    title,
    content: h("p", {}, text),
    actions: (close) => [
      button(t("common.cancel"), () => close(false), { autofocus: true }),
      button(yes, () => close(true), { kind }),
    ],
  });
  return (await closed) === true;
}

/** Ask for a line of text; resolves with it, or with null. */
export async function asked({ title, label, value = "", yes = t("common.save"), most = 255, lines = 1 }) {
  const id = `dialog-field-${made}`;
  const field =
    lines > 1
      ? h("textarea", { id, class: "field", rows: lines, maxlength: most, value })
      : h("input", { id, class: "field", maxlength: most, value, autocomplete: "off" });
  const { closed, element, close } = showDialog({
    title,
    content: [h("label", { for: id }, label), field],
    actions: (end) => [
      button(t("common.cancel"), () => end(null)),
      button(yes, () => end(field.value), { kind: "primary" }),
    ],
  });
  element.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && lines === 1 && event.target === field && !event.isComposing) close(field.value);
  });
  field.focus();
  if (lines === 1) field.select();
  return (await closed) ?? null;
}
