/**
 * Splits Markdown into blocks, one line at a time: CommonMark's blocks, GitHub's tables, footnotes, mathematics
 * between `$$`, and folds (`<details>`, `<think>`). A line costs time by its own length and the depth of what is
 * open, so a text that grows costs only what was added. `attempt` takes a line that may still grow, `revert` takes
 * it back.
 *
 * A block is {kind, children, lines, stable, ...}: `stable` counts the children that no later line can change.
 */

import {
  ITEM, NOTE, cellsOf, definitionOf, delimiterRow, expandTabs, fenceOf, foldOf, headingOf, indentOf, isRule, mathOf,
  summaryOf,
} from "./lines.js";

/** How deep containers nest; what is deeper is text. */
const DEEPEST = 16;

export const block = (kind, fields) => ({ kind, children: [], lines: [], stable: 0, ...fields });

/** Return what a container leaves of a line that goes on in it, or null if the line ends it. */
function continued(container, line) {
  switch (container.kind) {
    case "quote": {
      const found = /^ {0,3}> ?/.exec(line);
      return found && expandTabs(line.slice(found[0].length));
    }
    case "item":
    case "note":
      if (!line.trim()) return "";
      return indentOf(line) >= container.indent ? line.slice(container.indent) : null;
    default:
      return line;
  }
}

export class BlockParser {
  constructor() {
    this.root = block("root");
    this.open = [this.root];
    this.leaf = null;
    this.definitions = new Map();
    this.before = null;
    this.final = false;
    this.outline = null;
  }

  /** Take a whole line. */
  feed(line) {
    this.#add(line);
    for (const container of this.open) container.stable = container.children.length - 1;
    const last = this.open[this.open.length - 1];
    if (!this.leaf) last.stable = last.children.length;
  }

  /** Take a line whose end has not come; `revert` comes before anything else. `final`: it is all that there is. */
  attempt(line, final) {
    this.final = final;
    const blocks = this.leaf ? [...this.open, this.leaf] : this.open;
    this.before = {
      open: [...this.open],
      leaf: this.leaf,
      outline: this.outline,
      blocks: blocks.map((saved) => [saved, { ...saved }, saved.children.length, saved.lines.length]),
    };
    this.#add(line);
  }

  revert() {
    if (!this.before) return;
    this.open = this.before.open;
    this.leaf = this.before.leaf;
    this.outline = this.before.outline;
    for (const [saved, fields, children, lines] of this.before.blocks) {
      Object.assign(saved, fields);
      saved.children.length = children;
      saved.lines.length = lines;
    }
    this.before = null;
    this.final = false;
  }

  #add(line) {
    const at = this.open.findLastIndex((container) => container.kind === "fold");
    const fold = this.open[at];
    const end = fold ? line.toLowerCase().indexOf(fold.closing) : -1;
    const inCode = this.leaf?.kind === "code" && fold?.closing === "</details>";
    if (end < 0 || inCode) return this.#addPlain(expandTabs(line));
    if (line.slice(0, end).trim()) this.#addPlain(expandTabs(line.slice(0, end)));
    this.#closeTo(at);
    const rest = line.slice(end + fold.closing.length);
    if (rest.trim()) this.#add(rest);
  }

  #addPlain(line) {
    let rest = line;
    let depth = 1;
    for (; depth < this.open.length; depth++) {
      const after = continued(this.open[depth], rest);
      if (after === null) break;
      rest = after;
    }
    const all = depth === this.open.length;
    if (all && this.#verbatim(rest)) return;
    if (!rest.trim()) return this.#blank(depth, all);
    const started = this.#start(rest, depth, all);
    if (!started) this.#text(rest, depth, all);
    for (const container of this.open) container.blank = false;
  }

  /** Take a line into an open code or mathematics block; false if there is none. */
  #verbatim(line) {
    const leaf = this.leaf;
    if (leaf?.kind === "math") return this.#mathLine(leaf, line);
    if (leaf?.kind !== "code") return false;
    if (!leaf.fence) {
      if (line.trim() && indentOf(line) < 4) return false;
      leaf.lines.push(line.slice(4));
      return true;
    }
    const bare = line.trim();
    if (bare.startsWith(leaf.fence) && bare.replaceAll(leaf.fence[0], "") === "" && indentOf(line) < 4) {
      this.leaf = null;
    } else {
      leaf.lines.push(line.slice(Math.min(leaf.indent, indentOf(line))));
    }
    return true;
  }

  /** A blank line ends mathematics that nothing closed, so that a lone `$$` swallows a paragraph at most. */
  #mathLine(leaf, line) {
    if (!line.trim()) {
      this.leaf = null;
      return false;
    }
    const end = line.trimEnd().endsWith(leaf.closing) ? line.lastIndexOf(leaf.closing) : -1;
    leaf.lines.push(end < 0 ? line : line.slice(0, end));
    if (end >= 0) {
      leaf.whole = true;
      this.leaf = null;
    }
    return true;
  }

  #blank(depth, all) {
    if (!all) this.#closeTo(depth);
    this.leaf = null;
    for (const container of this.open) container.blank = true;
  }

  /** Begin the blocks that a line begins; false if it begins none, so that it is text. */
  #start(line, depth, all) {
    const fold = this.open[depth - 1];
    if (all && fold.kind === "fold" && !fold.children.length && !fold.summary) {
      const summary = summaryOf(line);
      if (summary !== null) return (fold.summary = summary) !== null;
    }
    let rest = line;
    let matched = all;
    let begun = false;
    for (;;) {
      if (this.open.length > DEEPEST) return begun && this.#text(rest, this.open.length, true);
      const paragraph = this.leaf?.kind === "paragraph" ? this.leaf : null;
      const after = this.#container(rest, depth, paragraph);
      if (after === null) break;
      begun = true;
      matched = true;
      rest = after;
      depth = this.open.length;
      if (!rest.trim()) return true;
    }
    if (this.#leafStart(rest, depth, matched)) return true;
    return begun && this.#text(rest, this.open.length, true);
  }

  /** Open the container that a line begins with; return the rest of the line, or null. */
  #container(line, depth, paragraph) {
    const indent = indentOf(line);
    if (indent >= 4) return null;
    const bare = line.slice(indent);
    if (bare[0] === ">") {
      this.#push(block("quote"), depth);
      return expandTabs(bare.slice(bare[1] === " " ? 2 : 1));
    }
    const fold = foldOf(bare);
    if (fold) {
      this.#push(block("fold", { closing: fold.closing, summary: fold.summary }), depth);
      return expandTabs(fold.rest);
    }
    const note = NOTE.exec(bare);
    if (note) {
      this.#push(block("note", { label: note[1], indent: 4 }), depth);
      return bare.slice(note[0].length);
    }
    return this.#item(bare, indent, depth, paragraph);
  }

  #item(bare, indent, depth, paragraph) {
    const found = ITEM.exec(bare);
    if (!found || isRule(bare)) return null;
    const marker = found[1];
    const after = expandTabs(bare.slice(marker.length));
    const number = parseInt(marker, 10);
    const fresh = this.open[depth - 1].kind !== "list";
    if (paragraph && fresh && depth === this.open.length && (!after.trim() || (number > 1 && marker.length > 1))) {
      return null;
    }
    const type = marker[marker.length - 1];
    const space = indentOf(after);
    const width = !after.trim() || space > 4 ? 1 : space;
    if (this.open[depth - 1].kind === "list" && this.open[depth - 1].type !== type) depth -= 1;
    if (this.open[depth - 1].kind !== "list") {
      this.#push(block("list", { type, ordered: marker.length > 1, from: number, loose: false }), depth);
      depth = this.open.length;
    }
    this.#push(block("item", { indent: indent + marker.length + width }), depth);
    return after.slice(width);
  }

  /** Begin the leaf that a line begins, other than a paragraph. */
  #leafStart(line, depth, all) {
    const paragraph = this.leaf?.kind === "paragraph" ? this.leaf : null;
    if (indentOf(line) >= 4) {
      if (paragraph) return false;
      return this.#leaf(block("code", { fence: "", language: "", lines: [line.slice(4)] }), depth);
    }
    const fence = fenceOf(line);
    if (fence) return this.#leaf(block("code", { ...fence, indent: indentOf(line) }), depth);
    const heading = headingOf(line);
    if (heading) return this.#leaf(block("heading", { ...heading, rank: this.#rank(heading.level) }), depth, true);
    const math = mathOf(line);
    if (math) return this.#leaf(block("math", math), depth, math.whole);
    if (paragraph && all && this.#turn(paragraph, line)) return true;
    if (isRule(line)) return this.#leaf(block("rule"), depth, true);
    const definition = paragraph ? null : definitionOf(line);
    if (!definition) return false;
    this.#place(depth);
    const sure = this.final || !this.before;
    if (sure && !this.definitions.has(definition.label)) this.definitions.set(definition.label, definition);
    return true;
  }

  /** Return a heading's rank below the page's own, 2 for a text's first one; none is more than one below the last. */
  #rank(level) {
    const { first, last } = this.outline ?? { first: level, last: 1 };
    const rank = Math.min(6, last + 1, Math.max(2, 2 + level - first));
    this.outline = { first, last: rank };
    return rank;
  }

  /** Turn an open paragraph into a heading or a table, if this line under it says so. */
  #turn(paragraph, line) {
    if (/^ {0,3}(=+|-{2,})[ ]*$/.test(line)) {
      paragraph.kind = "heading";
      paragraph.level = line.trim()[0] === "=" ? 1 : 2;
      paragraph.rank = this.#rank(paragraph.level);
      this.leaf = null;
      return true;
    }
    const align = delimiterRow(line);
    const head = paragraph.lines[paragraph.lines.length - 1];
    if (!align || !(line.includes("|") || head.includes("|")) || cellsOf(head).length !== align.length) return false;
    if (paragraph.lines.length === 1) {
      paragraph.kind = "table";
      paragraph.align = align;
      return true;
    }
    paragraph.lines = paragraph.lines.slice(0, -1);
    return this.#leaf(block("table", { align, lines: [head] }), this.open.length);
  }

  /** Add a line of text to what is open, or begin a paragraph with it. */
  #text(line, depth, all) {
    if (this.leaf?.kind === "paragraph" || (all && this.leaf?.kind === "table")) {
      this.leaf.lines.push(line.trimStart());
      return true;
    }
    return this.#leaf(block("paragraph", { lines: [line.trimStart()] }), depth);
  }

  #leaf(leaf, depth, whole = false) {
    this.#place(depth);
    const container = this.open[this.open.length - 1];
    this.#spread(container);
    container.children.push(leaf);
    this.leaf = leaf;
    if (whole) this.leaf = null;
    return true;
  }

  #push(container, depth) {
    if (container.kind === "item") this.#closeTo(depth);
    else this.#place(depth);
    const parent = this.open[this.open.length - 1];
    this.#spread(parent);
    parent.children.push(container);
    this.open.push(container);
  }

  /** Close what a block at this depth comes after, a list that it does not belong to, too. */
  #place(depth) {
    this.#closeTo(this.open[depth - 1].kind === "list" ? depth - 1 : depth);
  }

  /** A list with a blank line between two of its parts is spread. */
  #spread(container) {
    if (!container.blank || !container.children.length) return;
    if (container.kind === "list") container.loose = true;
    if (container.kind === "item") this.open[this.open.length - 2].loose = true;
  }

  #closeTo(depth) {
    this.leaf = null;
    while (this.open.length > depth) {
      const closed = this.open.pop();
      if (!this.before) closed.stable = closed.children.length;
    }
  }
}
