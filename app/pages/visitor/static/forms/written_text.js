/** A text as Markdown in an element of its own. */

import { h } from "../core/dom.js";
import { TextView } from "../render/stream.js";

/** Make an element for a text that grows: `{element, update(text, {done})}`. */
export function growingText() {
  const element = h("div", { class: "written", dir: "auto" });
  const view = new TextView(element);
  return { element, update: (text, how) => view.update(text, how) };
}

/** Make the element of a text that is whole. */
export function writtenText(text) {
  const { element, update } = growingText();
  update(text, { done: true });
  return element;
}
