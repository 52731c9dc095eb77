/** A block of code: its language, a button that copies it, colours line by line as it comes. */

import { t } from "../core/texts.js";
import { Highlighter } from "./highlight.js";
import { element, setText } from "./nodes.js";

/** Code beyond this is shown without colours: each colour is a node. */
const LONGEST_COLOURED = 60_000;
const LONGEST_COLOURED_LINE = 2000;
/** So many lines are laid out together: a block of their own, so that a long block of code can grow. */
const LINES_TOGETHER = 40;

export class CodeView {
  constructor() {
    this.kind = "code";
    this.language = element("span", { class: "code-language" });
    this.copy = element("button", { type: "button", class: "code-copy" }, t("common.copy"));
    this.code = element("code", { dir: "ltr" });
    this.tail = document.createTextNode("");
    this.code.append(this.#together());
    this.pre = element("pre", { tabindex: 0 }, this.code);
    this.node = element("figure", { class: "code", dir: "ltr" },
      element("figcaption", {}, this.language, this.copy), this.pre);
    this.shownLanguage = null;
    this.lines = 0;
    this.last = null;
    this.length = 0;
    this.highlighter = null;
    this.drawing = null;
  }

  update(block, context, growing) {
    if (this.shownLanguage !== block.language) this.#begin(block);
    const { lines } = block;
    if (this.lines > lines.length || (this.lines && lines[this.lines - 1] !== this.last)) this.#again();
    const whole = growing ? lines.length - 1 : lines.length;
    for (; this.lines < whole; this.lines++) this.#line(lines[this.lines]);
    const rest = this.lines < lines.length ? lines[this.lines] : "";
    if (rest !== this.tail.data) setText(this.tail, this.tail.data, rest);
    if (!growing) this.#draw(block, context);
  }

  #begin(block) {
    this.shownLanguage = block.language;
    this.language.textContent = block.language;
    this.pre.setAttribute("aria-label", block.language || t("text.code"));
    this.highlighter = Highlighter.of(block.language);
    this.#again();
  }

  #again() {
    this.tail.data = "";
    this.code.replaceChildren(this.#together());
    this.lines = 0;
    this.length = 0;
    this.highlighter?.reset();
  }

  /** Return the place of the next lines, with the tail in it. */
  #together() {
    return element("span", { class: "code-lines" }, this.tail);
  }

  /** Take a whole line out of the tail and show it for good. */
  #line(line) {
    this.last = line;
    this.length += line.length + 1;
    const plain = !this.highlighter || this.length > LONGEST_COLOURED || line.length > LONGEST_COLOURED_LINE;
    const parts = plain ? [line] : this.highlighter.line(line);
    if (this.tail.data) this.tail.data = "";
    const nodes = parts.map((part) => (part.name ? element("span", { class: part.name }, part.text) : part));
    this.tail.before(...nodes, "\n");
    if (this.lines % LINES_TOGETHER === LINES_TOGETHER - 1) this.code.append(this.#together());
  }

  /** Show what the code draws above it, where it draws something. */
  #draw(block, context) {
    const language = block.language.toLowerCase();
    if (this.drawing || !["mermaid", "math"].includes(language)) return;
    this.drawing = element("div", { class: "drawing" });
    this.node.prepend(this.drawing);
    const source = block.lines.join("\n");
    if (language === "math") context.mount(this.drawing, { opaque: source, display: true });
    else context.diagram(this.drawing, source);
  }
}
