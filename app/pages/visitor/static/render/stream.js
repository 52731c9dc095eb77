/**
 * Shows a text of a model that grows, as Markdown.
 *
 *     const view = new TextView(container);
 *     view.update("# Hel");                        // the whole text so far, as often as it grows
 *     view.update("# Hello\n", { done: true });
 *     view.cite(3);                                // [1] to [3] become buttons: "citation" events on the container
 *
 * Work is done once a frame, at most FRAME_MS at a time; what is long comes in several frames. Only what the text's
 * end can change is looked at again, so a long answer costs no more a frame than a short one.
 */

import { t } from "../core/texts.js";
import { BlockParser } from "./blocks.js";
import { saysLittle } from "./lines.js";
import { syncChildren } from "./views.js";

const FRAME_MS = 3;
/** So many lines, or letters, are taken before the clock is looked at. */
const LINES = 40;
const LETTERS = 4000;
/** A finished text of this length is shown at once, so that nothing moves when a conversation is opened. */
const AT_ONCE = 20_000;
const HIDDEN_MS = 250;
/** A frame that took longer, its layout included, is followed by a pause of three times as long. */
const SLOW_FRAME_MS = 12;
const LONGEST_PAUSE_MS = 1000;
const COPIED_MS = 1500;
const COPY = "common.copy";
const COPIED = "common.copied";

export class TextView {
  /** `origins`: the servers whose pictures are shown, this one alone unless others are named. */
  constructor(container, { origins = [location.origin] } = {}) {
    this.container = container;
    this.origins = origins;
    this.text = "";
    this.done = false;
    this.citations = 0;
    this.revision = 0;
    this.remembered = new Map();
    this.scheduled = null;
    this.pause = 0;
    container.classList.add("markdown");
    container.addEventListener("click", (event) => this.#clicked(event));
    this.#reset();
  }

  /** Take the whole text so far; `done` says that no more comes. */
  update(text, { done = false } = {}) {
    if (text === this.text && done === this.done) return;
    const first = this.text === "";
    // Comparing slices is several times faster than startsWith.
    if (text.slice(0, this.text.length) !== this.text) this.#reset();
    this.text = text;
    this.done = done;
    if (done && first && text.length <= AT_ONCE) this.flush();
    else this.#schedule();
  }

  /** Turn the markers [1] to [count] into buttons that say which source is meant. */
  cite(count) {
    if (count === this.citations) return;
    this.citations = count;
    this.revision += 1;
    const context = this.#context();
    for (const views of [...this.remembered.values()]) for (const view of views) view.refresh(context);
    this.#schedule();
  }

  /** Show all of the text now. */
  flush() {
    this.#unschedule();
    this.#work(Infinity);
  }

  /** Stop what is under way; the text stays as it is. */
  close() {
    this.#unschedule();
  }

  #reset() {
    this.container.replaceChildren();
    this.parser = new BlockParser();
    this.view = { body: this.container, children: [], settled: 0 };
    this.taken = 0;
    this.known = 0;
    this.text = "";
    this.remembered.clear();
  }

  #schedule() {
    if (this.scheduled) return;
    if (document.hidden) {
      // A page in the background gets no frames.
      this.scheduled = { timer: setTimeout(() => this.#frame(), HIDDEN_MS) };
    } else if (this.pause) {
      this.scheduled = { timer: setTimeout(() => this.#nextFrame(), this.pause) };
    } else {
      this.#nextFrame();
    }
  }

  #nextFrame() {
    this.scheduled = { frame: requestAnimationFrame(() => this.#frame()) };
  }

  #frame() {
    this.scheduled = null;
    const began = performance.now();
    const all = this.#work(FRAME_MS);
    // Runs after the browser has laid out and painted what was shown.
    setTimeout(() => {
      const took = performance.now() - began;
      this.pause = took > SLOW_FRAME_MS ? Math.min(3 * took, LONGEST_PAUSE_MS) : 0;
    });
    if (!all) this.#schedule();
  }

  #unschedule() {
    if (!this.scheduled) return;
    clearTimeout(this.scheduled.timer);
    if (this.scheduled.frame) cancelAnimationFrame(this.scheduled.frame);
    this.scheduled = null;
  }

  /** Take lines and show them until the time is up; true when all of the text is shown. */
  #work(budget) {
    const until = performance.now() + budget;
    const { parser } = this;
    parser.revert();
    for (;;) {
      const all = this.#take();
      const tail = all ? this.text.slice(this.taken) : "";
      const shown = tail && (this.done || !saysLittle(tail, parser.leaf));
      if (shown) parser.attempt(tail, this.done);
      syncChildren(this.view, parser.root, this.#context(), !this.done);
      this.#meetDefinitions();
      if (all) return true;
      if (performance.now() > until) return false;
    }
  }

  /** Feed the parser some whole lines; true when there are no more. */
  #take() {
    const stop = this.taken + LETTERS;
    for (let count = 0; count < LINES && this.taken < stop; count++) {
      const end = this.text.indexOf("\n", this.taken);
      if (end < 0) return true;
      this.parser.feed(this.text.slice(this.taken, end).replace(/\r$/, ""));
      this.taken = end + 1;
    }
    return false;
  }

  /** Show the links whose addresses have come after them. */
  #meetDefinitions() {
    const { definitions } = this.parser;
    if (definitions.size === this.known) return;
    this.known = definitions.size;
    const context = this.#context();
    for (const [label, views] of [...this.remembered]) {
      if (!definitions.has(label)) continue;
      this.remembered.delete(label);
      for (const view of views) view.refresh(context);
    }
  }

  #context() {
    const { origins, parser, citations, revision } = this;
    return {
      origins, citations, revision, definitions: parser.definitions,
      remember: (label, view) => this.#remember(label, view),
      mount: showFormula,
      diagram: showDiagram,
    };
  }

  #remember(label, view) {
    if (!this.remembered.has(label)) this.remembered.set(label, new Set());
    this.remembered.get(label).add(view);
  }

  async #clicked(event) {
    const citation = event.target.closest?.("button.citation");
    if (citation) {
      const detail = Number(citation.dataset.citation);
      this.container.dispatchEvent(new CustomEvent("citation", { bubbles: true, detail }));
    }
    const button = event.target.closest?.("button.code-copy");
    if (!button) return;
    const code = button.closest("figure").querySelector("code").textContent;
    await navigator.clipboard.writeText(code.replace(/\n$/, ""));
    button.textContent = t(COPIED);
    setTimeout(() => { button.textContent = t(COPY); }, COPIED_MS);
  }
}

/** Show LaTeX as it is written, then, where this server can, as a formula. */
function showFormula(node, { opaque: source, display }) {
  node.textContent = source;
  import("./math.js").then(({ showFormula: show }) => show(node, source, display));
}

function showDiagram(node, source) {
  import("./diagrams.js").then(({ showDiagram: show }) => show(node, source));
}
