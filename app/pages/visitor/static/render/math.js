/** Formulas: KaTeX, where this server has it, gives MathML; without it the LaTeX stands there as it was written. */

import { element } from "./nodes.js";

const OPTIONS = {
  output: "mathml", throwOnError: true, trust: false, strict: "ignore", maxSize: 20, maxExpand: 200, globalGroup: false,
};
const LONGEST = 4000;
let library = null;

/** Show a formula in a node: its source at once, then the formula. */
export function showFormula(node, source, display) {
  node.replaceChildren(element("code", { class: "latex", dir: "ltr" }, source));
  if (source.length > LONGEST) return;
  library ??= import("../libraries/katex.js").then(() => globalThis.katex);
  library.then(
    (katex) => katex && draw(katex, node, source, display),
    () => { library = null; },
  );
}

function draw(katex, node, source, display) {
  const drawn = element("span", { class: "formula", dir: "ltr" });
  try {
    katex.render(source, drawn, { ...OPTIONS, displayMode: display });
  } catch (problem) {
    if (problem instanceof katex.ParseError || problem instanceof RangeError) return;
    throw problem;
  }
  node.replaceChildren(drawn);
}
