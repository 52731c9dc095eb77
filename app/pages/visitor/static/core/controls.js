/** Small controls that many components use. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** Return a button that shows an icon and has a name for readers of the screen. */
export function iconButton(name, label, onclick, attributes = {}) {
  const { class: more, ...rest } = attributes;
  const given = { type: "button", class: ["icon-button", more], title: label, "aria-label": label, onclick, ...rest };
  return h("button", given, icon(name));
}

/** Return a button with words. `kind`: `primary`, `plain`, `danger` or `ghost`. */
export function button(label, onclick, { kind = "plain", ...attributes } = {}) {
  return h("button", { type: "button", class: `button button-${kind}`, onclick, ...attributes }, label);
}

/** Return a sign of work that goes on. */
export function spinner() {
  return h("span", { class: "spinner", "aria-hidden": "true" });
}

/** Return a part that opens and closes: a summary and what it holds. */
export function folded(summary, content, { open = false, ...attributes } = {}) {
  return h("details", { open, ...attributes }, h("summary", {}, summary), content);
}

/** Return an app's icon: its image, or its sign on its background. */
export function appIcon({ kind, text, url, background }, className = "app-icon") {
  if (kind === "image" && url) return h("img", { class: className, src: url, alt: "" });
  const shown = /^[\w+-]{2,}$/.test(text) ? "🤖" : text;
  return h("span", { class: className, style: { "background-color": background }, "aria-hidden": "true" }, shown);
}
