/**
 * Shows the blocks of a `BlockParser` as DOM nodes, and keeps them up to date. A view is {kind, node, body, children,
 * settled}: `settled` counts the children that are shown for good and looked at no more.
 */

import { t } from "../core/texts.js";
import { CodeView } from "./code.js";
import { readInline } from "./inline.js";
import { cellsOf } from "./lines.js";
import { element, patch } from "./nodes.js";

/**
 * A longer text is shown in pieces, each read and laid out by itself, so that only the last one costs time while the
 * text grows. A piece ends with a line; where no line ends for so long, with a word; else anyway.
 */
const PIECE = 1500;
const WIDE_PIECE = 6000;
const WIDEST_PIECE = 8000;

/** Bring a container's view up to date. `growing`: the text's end is in its last child. */
export function syncChildren(view, container, context, growing) {
  const { children } = container;
  for (let at = view.settled; at < children.length; at++) {
    const grows = growing && at === children.length - 1 && at >= container.stable;
    const kind = kindOf(children[at], grows);
    let child = view.children[at];
    if (!child || child.kind !== kind) {
      const fresh = makeView(kind, children[at]);
      if (child) child.node.replaceWith(fresh.node);
      else view.body.append(fresh.node);
      view.children[at] = child = fresh;
    }
    child.update(children[at], context, grows);
  }
  for (const gone of view.children.splice(children.length)) gone.node.remove();
  view.settled = Math.max(0, Math.min(container.stable, children.length));
}

/** A table's head is shown as such before the row under it has come. */
function kindOf(block, growing) {
  if (block.kind === "list") return block.ordered ? "ol" : "ul";
  if (block.kind === "heading") return `h${block.rank}`;
  const head = block.kind === "paragraph" && block.lines.length === 1 && block.lines[0][0] === "|";
  return head && growing ? "table" : block.kind;
}

function makeView(kind, block) {
  switch (kind) {
    case "code": return new CodeView();
    case "table": return new TableView();
    case "math": return new MathView();
    case "rule": return { kind, node: element("hr"), update() {} };
    case "paragraph": return new InlineView(kind, element("p", { dir: "auto" }));
    case "quote": return new ContainerView(kind, element("blockquote"));
    case "fold": return new FoldView(block);
    case "note": return new NoteView(block);
    case "item": return new ItemView();
    case "ul": case "ol": return new ListView(kind, block);
    default: return new InlineView(kind, element(kind, { dir: "auto", class: `level-${block.level}` }));
  }
}

class ContainerView {
  constructor(kind, node, body = node) {
    Object.assign(this, { kind, node, body, children: [], settled: 0 });
  }

  update(block, context, growing) {
    syncChildren(this, block, context, growing);
  }
}

class ListView extends ContainerView {
  constructor(kind, block) {
    super(kind, element(kind, kind === "ol" && block.from !== 1 ? { start: block.from } : {}));
  }

  update(block, context, growing) {
    this.node.className = block.loose ? "loose" : "tight";
    super.update(block, context, growing);
  }
}

class ItemView extends ContainerView {
  constructor() {
    super("item", element("li", { dir: "auto" }));
    this.box = null;
  }

  update(block, context, growing) {
    const first = block.children[0];
    const task = first?.kind === "paragraph" && /^\[([ xX])\](?=\s|$)/.exec(first.lines[0]);
    if (first) first.task = Boolean(task);
    if (task && !this.box) {
      this.box = element("input", { type: "checkbox", disabled: "disabled", class: "task" });
      this.node.classList.add("task");
      this.node.prepend(this.box);
    } else if (!task && this.box) {
      this.box.remove();
      this.box = null;
      this.node.classList.remove("task");
    }
    if (task) {
      this.box.checked = task[1] !== " ";
      this.box.setAttribute("aria-label", this.box.checked ? t("text.done") : t("text.open"));
    }
    super.update(block, context, growing);
  }
}

class FoldView extends ContainerView {
  constructor(block) {
    const body = element("div", { class: "fold-body" });
    const summary = element("summary", { dir: "auto" });
    const thought = block.closing === "</think>";
    super("fold", element("details", { class: thought ? "thought" : "fold" }, summary, body), body);
    this.summary = summary;
    this.name = thought ? t("text.thought") : t("text.details");
  }

  update(block, context, growing) {
    const words = block.summary.replace(/<\/?[a-z]{1,8}>/gi, "") || this.name;
    if (this.summary.textContent !== words) this.summary.textContent = words;
    super.update(block, context, growing);
  }
}

class NoteView extends ContainerView {
  constructor(block) {
    const body = element("div", { class: "note-body" });
    super("note", element("div", { class: "note" }, element("sup", {}, block.label), body), body);
  }
}

/** A text in pieces. The first piece's nodes stand in the element, later ones in spans, each kept once it is whole. */
class InlineView {
  constructor(kind, node) {
    Object.assign(this, { kind, node, pieces: [], text: "" });
  }

  update(block, context, growing) {
    const text = block.lines.map((line) => line.trimEnd()).join("\n");
    this.show(block.task ? text.slice(3).trimStart() : text, context, growing);
  }

  show(text, context, growing) {
    this.text = text;
    let at = 0;
    let index = 0;
    for (; at < text.length; index++) {
      const end = endOfPiece(text, at);
      const open = growing && end === text.length;
      // Pieces are blocks: the line's end between two of them shows by itself.
      this.#piece(index, text.slice(at, end).replace(/\n$/, ""), context, open);
      at = end;
    }
    for (const gone of this.pieces.splice(Math.max(index, 1))) gone.node.remove();
    if (!text && this.pieces.length) this.#piece(0, "", context, false);
  }

  #piece(index, text, context, growing) {
    let piece = this.pieces[index];
    if (piece?.text === text && piece.growing === growing && piece.revision === context.revision) return;
    if (!piece) {
      const node = index ? this.node.appendChild(element("span", { class: "piece" })) : this.node;
      piece = this.pieces[index] = { node, shown: [] };
    }
    const missing = (label) => context.remember(label, this);
    const values = readInline(text, { ...context, missing }, growing);
    if (context.citations === 0 && text.includes("[")) context.remember("", this);
    const before = index === 0 ? (this.pieces[1]?.node ?? null) : null;
    patch(piece.node, piece.shown, values, before, context.mount);
    Object.assign(piece, { text, growing, revision: context.revision });
  }

  /** Read the whole text again: a link's address or the citations are known only now. */
  refresh(context) {
    for (const piece of this.pieces) piece.text = null;
    this.show(this.text, context, false);
  }
}

function endOfPiece(text, from) {
  if (text.length - from <= PIECE) return text.length;
  const line = text.indexOf("\n", from + PIECE);
  const limit = line < 0 ? text.length : line + 1;
  if (limit - from <= WIDE_PIECE) return limit;
  const space = /\s/g;
  space.lastIndex = from + WIDE_PIECE;
  const found = space.exec(text.slice(0, from + WIDEST_PIECE));
  const end = Math.min(found ? found.index + 1 : from + WIDEST_PIECE, text.length);
  const half = end < text.length && /[\ud800-\udbff]/.test(text[end - 1]);
  return half ? end - 1 : end;
}

class TableView {
  constructor() {
    this.kind = "table";
    this.body = element("tbody");
    this.head = element("tr");
    const table = element("table", {}, element("thead", {}, this.head), this.body);
    this.node = element("div", { class: "table", tabindex: 0, role: "region" }, table);
    this.rows = [];
    this.headCells = [];
    this.settled = 0;
  }

  update(block, context, growing) {
    const align = block.align ?? [];
    const columns = align.length || cellsOf(block.lines[0]).length;
    this.node.setAttribute("aria-label", t("text.table"));
    const last = block.lines.length - 1;
    this.#row(this.head, this.headCells, "th", block.lines[0], align, columns, context, growing && !last);
    for (let at = Math.max(1, this.settled); at <= last; at++) {
      this.rows[at] ??= { node: this.body.appendChild(element("tr")), cells: [] };
      this.#row(this.rows[at].node, this.rows[at].cells, "td", block.lines[at], align, columns, context,
        growing && at === last);
    }
    for (const gone of this.rows.splice(last + 1)) gone?.node.remove();
    this.settled = last;
  }

  #row(node, cells, tag, line, align, columns, context, growing) {
    const texts = cellsOf(line);
    for (let at = 0; at < columns; at++) {
      cells[at] ??= new InlineView("cell", node.appendChild(element(tag, { dir: "auto" })));
      if (align[at]) cells[at].node.className = align[at];
      cells[at].show(texts[at] ?? "", context, growing && at === texts.length - 1);
    }
    for (const gone of cells.splice(columns)) gone.node.remove();
  }
}

class MathView {
  constructor() {
    this.kind = "math";
    this.node = element("div", { class: "math-block", tabindex: 0 });
    this.source = null;
  }

  update(block, context) {
    const source = block.lines.join("\n").trim();
    const text = block.whole ? source : `${block.closing === "$$" ? "$$" : "\\["}${source}`;
    if (text === this.source) return;
    this.source = text;
    if (block.whole) context.mount(this.node, { opaque: source, display: true });
    else this.node.textContent = text;
  }
}
