/**
 * Reads what stands inside a block: emphasis, code, links, pictures, mathematics, citations. Gives nodes to show:
 * a string, or {tag, attributes, children}, or {tag, opaque} for what another module fills in.
 *
 * One pass over the text, CommonMark's algorithm with its two stacks. Between Chinese, Japanese and Korean letters
 * emphasis needs no spaces around it. `growing` says that the text is not at its end: what is open counts as closed
 * there, so that a word does not change its look when its last asterisk comes.
 */

import { t } from "../core/texts.js";
import { DEEPEST, closeOpen, emphasize, flanks, heightOf, joined } from "./emphasis.js";
import { bareLinks, safeImage, safeLink } from "./links.js";
import { labelOf } from "./lines.js";

const PLAIN = /[^\\`*_~[\]!<&\n$]+/y;
const ESCAPABLE = /[!-/:-@[-`{-~]/;
const ENTITY =
  /&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos|nbsp|copy|hellip|ndash|mdash|euro|times|rarr));/iy;
const ENTITIES = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", copy: "©", hellip: "…", ndash: "–", mdash: "—",
  euro: "€", times: "×", rarr: "→",
};
const TAG = /<(\/?)(br|sub|sup|kbd|mark|u|b|i|em|strong|s|del|ins|small)\s*\/?>/iy;
const ANGLED = /<((?:https?:\/\/|mailto:)[^\s<>]*|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+)>/iy;
const TARGET = /\(\s*(?:<([^<>\n]*)>|([^\s()]*(?:\([^\s()]*\)[^\s()]*)*))(?:\s+("[^"]*"|'[^']*'|\([^()]*\)))?\s*\)/y;
const CITATION = /(?:\[\^?(\d{1,3})\]|【(\d{1,3})[^】]{0,40}】)(?![(:])/y;
const SPACE = /^\s?$/;

/** context: {definitions, missing(label), citations, origins} */
export function readInline(text, context, growing) {
  return new Inline(text, context, growing).read();
}

class Inline {
  constructor(text, context, growing) {
    this.text = growing ? text.replace(/<\/?[a-z]{0,8}$/i, "") : text;
    this.context = context;
    this.growing = growing;
    this.at = 0;
    this.nodes = [];
    this.delimiters = [];
    this.brackets = [];
    this.tags = [];
    this.links = bareLinks(this.text);
    this.ticks = null;
  }

  read() {
    const { text } = this;
    while (this.at < text.length) {
      const link = this.links.get(this.at);
      if (link) {
        this.#push(anchor(link.href, [link.text]));
        this.at += link.text.length;
      } else if (!this.#special(text[this.at])) {
        this.#push(text[this.at]);
        this.at += 1;
      }
    }
    emphasize(this.nodes, this.delimiters, 0);
    if (this.growing) closeOpen(this.nodes);
    return joined(this.nodes);
  }

  #push(value, delimiter) {
    this.nodes.push({ value, delimiter, height: typeof value === "string" ? 0 : 1 });
  }

  #special(sign) {
    switch (sign) {
      case "\\": return this.#escape();
      case "`": return this.#code();
      case "*": case "_": case "~": return this.#delimiter(sign);
      case "!": return this.text[this.at + 1] === "[" && this.#bracket(2);
      case "[": return this.#citation() || this.#footnote() || this.#bracket(1);
      case "【": return this.#citation();
      case "]": return this.#closeBracket();
      case "<": return this.#tag();
      case "&": return this.#entity();
      case "\n": return this.#lineEnd();
      case "$": return this.#math("$", "$");
      default: return this.#plain();
    }
  }

  #plain() {
    PLAIN.lastIndex = this.at;
    let end = this.at + (PLAIN.exec(this.text)?.[0].length ?? 1);
    for (let at = this.at + 1; at < end; at++) {
      if (this.links.size && this.links.has(at)) end = at;
      else if (this.context.citations && this.text[at] === "【") end = at;
    }
    this.#push(this.text.slice(this.at, end));
    this.at = end;
    return true;
  }

  #escape() {
    const next = this.text[this.at + 1];
    if (next === "(" && this.#math("\\(", "\\)")) return true;
    if (next === "[" && this.#math("\\[", "\\]")) return true;
    if (next === "\n") {
      this.at += 1;
      return this.#lineEnd();
    }
    if (next === undefined || !ESCAPABLE.test(next)) return false;
    this.#push(next);
    this.at += 2;
    return true;
  }

  #lineEnd() {
    this.#push({ tag: "br" });
    this.at += 1;
    return true;
  }

  #code() {
    const { text } = this;
    this.ticks ??= tickRuns(text);
    let length = 1;
    while (text[this.at + length] === "`") length++;
    const start = this.at + length;
    const closings = this.ticks.get(length) ?? [];
    while (closings.length && closings[0] < start) closings.shift();
    let end = closings[0];
    if (end === undefined && this.growing && !text.includes("`", start)) end = text.length;
    if (end === undefined) {
      this.#push(text.slice(this.at, start));
      this.at = start;
      return true;
    }
    const code = text.slice(start, end).replaceAll("\n", " ");
    const padded = code.startsWith(" ") && code.endsWith(" ") && code.trim();
    const shown = padded ? code.slice(1, -1) : code;
    if (shown) this.#push({ tag: "code", attributes: { dir: "auto" }, children: [shown] });
    this.at = end + length;
    return true;
  }

  #math(opening, closing) {
    const { text } = this;
    const doubled = opening === "$" && text[this.at + 1] === "$";
    const marks = doubled ? ["$$", "$$"] : [opening, closing];
    const start = this.at + marks[0].length;
    if (marks[0] === "$" && SPACE.test(text[start] ?? "")) return false;
    const end = this.#mathEnd(start, marks[1]);
    if (end < 0) return false;
    this.#push({ tag: "span", attributes: { class: "math" }, opaque: text.slice(start, end), display: doubled });
    this.at = end + marks[1].length;
    return true;
  }

  /** A dollar closes a formula only after a sign and before no digit: "from $5 to $6" has no formula. */
  #mathEnd(start, closing) {
    const { text } = this;
    if (this.noEnd?.[closing] <= start) return -1;
    for (let end = text.indexOf(closing, start); end >= 0; end = text.indexOf(closing, end + closing.length)) {
      if (end - start > 1000) return -1;
      if (end === start || (closing !== "\\)" && closing !== "\\]" && text[end - 1] === "\\")) continue;
      if (closing !== "$") return end;
      return SPACE.test(text[end - 1]) || /[\d$]/.test(text[end + 1] ?? "") ? -1 : end;
    }
    this.noEnd = { ...this.noEnd, [closing]: start };
    return -1;
  }

  #delimiter(sign) {
    const { text, at } = this;
    let length = 1;
    while (text[at + length] === sign) length++;
    const before = text[at - 1] ?? "";
    const after = text[at + length] ?? "";
    const [opens, closes] = flanks(before, after, sign);
    const usable = sign !== "~" || length <= 2;
    this.#push(text.slice(at, at + length), { sign, opens: opens && usable, closes: closes && usable, length });
    if (usable && (opens || closes)) this.delimiters.push(this.nodes[this.nodes.length - 1]);
    this.at = at + length;
    return true;
  }

  #bracket(length) {
    const opening = this.text.slice(this.at, this.at + length);
    this.#push(opening);
    const node = this.nodes[this.nodes.length - 1];
    this.at += length;
    this.brackets.push({ node, index: this.nodes.length - 1, image: length === 2, from: this.at, active: true,
      bottom: this.delimiters.length });
    return true;
  }

  #closeBracket() {
    const opener = this.brackets.pop();
    if (!opener || !opener.active || this.nodes[opener.index] !== opener.node) return false;
    const label = this.text.slice(opener.from, this.at);
    const target = this.#target(label);
    if (!target) return false;
    emphasize(this.nodes, this.delimiters, opener.bottom);
    const inside = this.nodes.splice(opener.index);
    inside.shift();
    this.tags = this.tags.filter((tag) => tag.index < opener.index);
    const height = opener.image ? 1 : 1 + heightOf(inside);
    const flat = height > DEEPEST ? [{ value: label }] : inside;
    this.nodes.push({ value: opener.image ? this.#picture(target, label) : this.#link(target, flat), height });
    if (!opener.image) for (const bracket of this.brackets) if (!bracket.image) bracket.active = false;
    this.at = target.end;
    return true;
  }

  #link(target, inside) {
    const children = joined(inside);
    if (target.pending) return { tag: "span", children };
    const href = safeLink(target.href);
    if (!href) return { tag: "span", children };
    return anchor(href, children.length ? children : [target.href], target.title);
  }

  #picture(target, label) {
    const words = label || t("text.picture");
    if (target.pending) return { tag: "span", children: [words] };
    const shown = safeImage(target.href, this.context.origins);
    if (shown) {
      const attributes = { src: shown, alt: label, title: target.title, loading: "lazy", class: "picture" };
      return { tag: "img", attributes };
    }
    const href = safeLink(target.href);
    return href ? anchor(href, [words], target.title, "picture-link") : { tag: "span", children: [words] };
  }

  /** Return where a bracket at `at` leads, with the place after it; null if it leads nowhere. */
  #target(label) {
    const after = this.at + 1;
    if (this.text[after] === "(") {
      TARGET.lastIndex = after;
      const found = TARGET.exec(this.text);
      if (found) {
        const title = found[3]?.slice(1, -1) ?? "";
        return { href: unescaped(found[1] ?? found[2]), title, end: after + found[0].length };
      }
      if (this.growing && !this.text.includes(")", after) && !/\s/.test(this.text.slice(after))) {
        return { pending: true, end: this.text.length };
      }
    }
    const named = /\[([^\]]{0,200})\]/y;
    named.lastIndex = after;
    const second = named.exec(this.text);
    const name = labelOf(second?.[1] || label);
    if (!name || name.length > 200) return null;
    const definition = this.context.definitions.get(name);
    if (definition) return { ...definition, end: after + (second ? second[0].length : 0) };
    this.context.missing(name);
    return null;
  }

  #citation() {
    if (!this.context.citations) return false;
    CITATION.lastIndex = this.at;
    const found = CITATION.exec(this.text);
    const number = found && Number(found[1] ?? found[2]);
    if (!number || number > this.context.citations) return false;
    const name = t("text.source", { n: number });
    const attributes = { type: "button", class: "citation", "data-citation": number, "aria-label": name };
    this.#push({ tag: "button", attributes, children: [String(number)] });
    this.at += found[0].length;
    return true;
  }

  #footnote() {
    const found = /\[\^([^\]\s]{1,40})\]/y;
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (!match) return false;
    this.#push({ tag: "sup", attributes: { class: "note-mark" }, children: [match[1]] });
    this.at += match[0].length;
    return true;
  }

  #tag() {
    ANGLED.lastIndex = this.at;
    const link = ANGLED.exec(this.text);
    const href = link && safeLink(/^[a-z]+:/i.test(link[1]) ? link[1] : `mailto:${link[1]}`);
    if (href) {
      this.#push(anchor(href, [link[1]]));
      this.at += link[0].length;
      return true;
    }
    TAG.lastIndex = this.at;
    const found = TAG.exec(this.text);
    if (!found) return false;
    const tag = found[2].toLowerCase();
    if (tag === "br") this.#push({ tag: "br" });
    else if (!this.#pairTag(tag, found)) this.#push(found[0]);
    this.at += found[0].length;
    return true;
  }

  /** Remember an opening tag, or put what stands since it into the element; false if the tag is to be shown. */
  #pairTag(tag, found) {
    if (!found[1]) {
      this.#push(found[0]);
      const index = this.nodes.length - 1;
      this.tags.push({ tag, index, node: this.nodes[index], bottom: this.delimiters.length });
      if (this.tags.length > 200) this.tags.shift();
      return true;
    }
    const at = this.tags.findLastIndex((open) => open.tag === tag);
    const opener = this.tags[at];
    if (!opener || this.nodes[opener.index] !== opener.node) return false;
    emphasize(this.nodes, this.delimiters, opener.bottom);
    const inside = this.nodes.slice(opener.index + 1);
    const height = 1 + heightOf(inside);
    if (height > DEEPEST) return false;
    this.nodes.length = opener.index;
    this.tags.length = at;
    this.brackets = this.brackets.filter((bracket) => bracket.index < opener.index);
    this.nodes.push({ value: { tag, children: joined(inside) }, height });
    return true;
  }

  #entity() {
    ENTITY.lastIndex = this.at;
    const found = ENTITY.exec(this.text);
    if (!found) return false;
    const code = found[1] ? Number(found[1]) : parseInt(found[2], 16);
    const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    this.#push(found[3] ? ENTITIES[found[3].toLowerCase()] : valid ? String.fromCodePoint(code) : "\ufffd");
    this.at += found[0].length;
    return true;
  }
}

function anchor(href, children, title, name) {
  const attributes = { href, target: "_blank", rel: "noopener noreferrer nofollow", title, class: name };
  return { tag: "a", attributes, children };
}

/** Return where runs of backticks stand, by their length, in order. */
function tickRuns(text) {
  const runs = new Map();
  for (const run of text.matchAll(/`+/g)) {
    const length = run[0].length;
    if (!runs.has(length)) runs.set(length, []);
    runs.get(length).push(run.index);
  }
  return runs;
}

const unescaped = (text) => text.replace(/\\([!-/:-@[-`{-~])/g, "$1");
