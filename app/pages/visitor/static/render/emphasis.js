/** Emphasis: which runs of `*`, `_` and `~` open and close it, and CommonMark's way to pair them. */

const SPACE = /^\s?$/;
const MARK = /[\p{P}\p{S}]/u;
const EAST_ASIAN = /[\u2e80-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]/;
/** How deep emphasis, links and tags nest; what is deeper is text. */
export const DEEPEST = 12;

export const heightOf = (nodes) => nodes.reduce((most, node) => Math.max(most, node.height ?? 0), 0);

/** Whether a run of delimiters between two signs can open and close emphasis. */
export function flanks(before, after, sign) {
  const spaceBefore = SPACE.test(before);
  const spaceAfter = SPACE.test(after);
  const markBefore = MARK.test(before) && !EAST_ASIAN.test(before);
  const markAfter = MARK.test(after) && !EAST_ASIAN.test(after);
  const asian = EAST_ASIAN.test(before) || EAST_ASIAN.test(after);
  const left = !spaceAfter && (!markAfter || spaceBefore || markBefore || asian);
  const right = !spaceBefore && (!markBefore || spaceAfter || markAfter || asian);
  if (sign !== "_") return [left, right];
  return [left && (!right || markBefore || MARK.test(before)), right && (!left || markAfter || MARK.test(after))];
}

/** CommonMark's rule of three, and for strikethrough equal lengths. */
function pairs(opener, closer) {
  if (opener.sign !== closer.sign || !opener.opens) return false;
  if (opener.sign === "~") return opener.length === closer.length;
  const odd = (opener.closes || closer.opens) && (opener.length + closer.length) % 3 === 0;
  return !odd || (opener.length % 3 === 0 && closer.length % 3 === 0);
}

function shorten(node, used) {
  node.delimiter.length -= used;
  node.value = node.value.slice(used);
}

/** CommonMark's "process emphasis" over the delimiters from `bottom` on. */
export function emphasize(nodes, stack, bottom) {
  const lowest = {};
  for (let index = bottom; index < stack.length; ) {
    const closer = stack[index];
    const { sign, closes, opens, length } = closer.delimiter;
    if (!closes) {
      index++;
      continue;
    }
    const key = `${sign}${opens}${length % 3}`;
    let from = index - 1;
    const floor = lowest[key] ?? bottom;
    while (from >= floor && !pairs(stack[from].delimiter, closer.delimiter)) from--;
    if (from < floor) {
      lowest[key] = index;
      index++;
      continue;
    }
    const opener = stack[from];
    if (!wrap(nodes, opener, closer)) {
      index++;
      continue;
    }
    const kept = [opener, closer].filter((node) => node.delimiter.length);
    for (const name of Object.keys(lowest)) lowest[name] = Math.min(lowest[name], from);
    stack.splice(from, index - from + 1, ...kept);
    index = from + (opener.delimiter.length ? 1 : 0);
  }
  stack.length = bottom;
}

/** Put the nodes between two delimiters into an element; false where that would nest too deep. */
function wrap(nodes, opener, closer) {
  const from = nodes.lastIndexOf(opener);
  const to = nodes.lastIndexOf(closer);
  const both = Math.min(opener.delimiter.length, closer.delimiter.length);
  const { sign } = opener.delimiter;
  const used = sign === "~" ? both : Math.min(2, both);
  const tag = sign === "~" ? "del" : used === 2 ? "strong" : "em";
  const inside = nodes.slice(from + 1, to);
  const height = 1 + heightOf(inside);
  if (height > DEEPEST) return false;
  shorten(opener, used);
  shorten(closer, used);
  nodes.splice(from + 1, to - from - 1, { value: { tag, children: joined(inside) }, height });
  return true;
}

/** Where the text grows, an opener without a closer holds to the end; with nothing after it, it is not shown. */
export function closeOpen(nodes) {
  for (let at = nodes.length - 1; at >= 0; at--) {
    const { delimiter } = nodes[at];
    if (!delimiter?.length) continue;
    if (at === nodes.length - 1) {
      nodes.pop();
    } else if (delimiter.opens) {
      const height = 1 + heightOf(nodes.slice(at + 1));
      if (height > DEEPEST) return;
      const inside = nodes.splice(at + 1);
      const tag = delimiter.sign === "~" ? "del" : delimiter.length > 1 ? "strong" : "em";
      nodes[at] = { value: { tag, children: joined(inside) }, height };
    }
  }
}

/** Return the nodes' values, neighbouring texts as one. */
export function joined(nodes) {
  const values = [];
  for (const { value } of nodes) {
    if (value === "" || value === undefined) continue;
    const last = values.length - 1;
    if (typeof value === "string" && typeof values[last] === "string") values[last] += value;
    else values.push(value);
  }
  return values;
}
