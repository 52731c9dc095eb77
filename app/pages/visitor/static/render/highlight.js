/** Colours of code, line by line: comments, strings, numbers, keywords, tags. Knows families of languages. */

const words = (text) => new Set(text.split(" "));
const literal = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const C_WORDS = words(
  "abstract as async await break case catch class const constexpr continue data def default defer delete do else enum " +
    "export extends extern false final finally fn for foreach from func function go goto guard if implements import in " +
    "include inline instanceof interface internal is lateinit let loop match mod mut namespace new nil null nullptr of " +
    "open operator override package private protected pub public range readonly ref return sealed self set sizeof static " +
    "struct super suspend switch template this throw throws trait true try type typedef typename typeof undefined union " +
    "unsafe use using val var virtual void volatile when where while with yield bool boolean byte char double float int " +
    "i32 i64 u8 u32 u64 usize long short string String str Vec Option Result unsigned signed object any number never",
);
const HASH_WORDS = words(
  "and as assert async await begin break case class continue def del do done elif else elsif end ensure esac except " +
    "export false False fi finally for from function global if import in is lambda local match module next nil None " +
    "nonlocal not null or pass raise redo require rescue retry return self set shift source super then true True try " +
    "undef unless until when while with yield echo cd sudo FROM RUN COPY ENV WORKDIR CMD ENTRYPOINT EXPOSE ARG",
);
const SQL_WORDS = words(
  "add all alter and any as asc begin between by case cast check column commit constraint create cross database default " +
    "delete desc distinct drop else end exists false foreign from full function group having if in index inner insert " +
    "into is join key left like limit not null offset on or order outer over partition primary references returning right " +
    "rollback row rows select set table then top true union unique update using values view when where window with",
);
const DASH_WORDS = words(
  "and break case class data deriving do else elseif end false for function goto if import in infixl instance let local " +
    "module newtype nil not of or qualified repeat return then true type until where while",
);

const STRING = String.raw`"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?`;
const NUMBER = String.raw`\b(?:0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)\w*`;
const WORD = String.raw`[A-Za-z_$][\w$]*`;

/** open and close: comments and strings that go on over lines. */
const FAMILIES = {
  c: family({ line: "//", words: C_WORDS, spans: [["/*", "*/", "comment"], ["`", "`", "string"]] }),
  hash: family({ line: "#", words: HASH_WORDS, spans: [['"""', '"""', "string"], ["'''", "'''", "string"]] }),
  sql: family({ line: "--", words: SQL_WORDS, spans: [["/*", "*/", "comment"]], anyCase: true }),
  dash: family({ line: "--", words: DASH_WORDS, spans: [["--[[", "]]", "comment"], ["{-", "-}", "comment"]] }),
  css: family({ words: new Set(), spans: [["/*", "*/", "comment"]], extra: ["keyword", String.raw`[@.#]?[\w-]+(?=\s*[:{])`] }),
  json: family({ words: words("true false null"), extra: ["keyword", String.raw`"(?:[^"\\]|\\.)*"(?=\s*:)`] }),
  yaml: family({ line: "#", words: words("true false null yes no on off"), extra: ["keyword", String.raw`[\w.-]+(?=:(?:\s|$))`] }),
  markup: family({ words: new Set(), spans: [["<!--", "-->", "comment"]],
    extra: ["keyword", String.raw`<\/?[\w:-]+|\/?>|[\w:-]+(?==)`] }),
};

const NAMES = {
  c: "c cc cpp c++ h hpp cs csharp java js javascript jsx mjs ts typescript tsx go golang rust rs swift kotlin kt scala " +
    "dart php objc groovy zig solidity proto graphql",
  hash: "python py ruby rb bash sh shell zsh console powershell ps1 perl pl r julia jl elixir ex make makefile dockerfile " +
    "docker nginx cmake awk nix gdscript tcl",
  sql: "sql postgresql postgres mysql sqlite plsql tsql",
  dash: "lua haskell hs elm ada vhdl",
  css: "css scss less sass",
  json: "json jsonc json5",
  yaml: "yaml yml toml ini properties conf env",
  markup: "html xml svg xhtml vue svelte jsp rss plist",
};
const FAMILY_OF = new Map(
  Object.entries(NAMES).flatMap(([name, list]) => list.split(" ").map((language) => [language, FAMILIES[name]])),
);
const DIFF = words("diff patch");

/** One regular expression whose groups are what a line may hold, in the order of their names. */
function family({ line, words: keywords, spans = [], extra, anyCase = false }) {
  const parts = [];
  for (const [open] of spans) parts.push(["span", literal(open)]);
  if (line) parts.push(["comment", `${line === "#" ? "(?<![\\w$])" : ""}${literal(line)}.*`]);
  if (extra) parts.push(extra);
  parts.push(["string", STRING], ["number", NUMBER], ["word", WORD]);
  const names = parts.map(([name]) => name);
  return { pattern: new RegExp(parts.map(([, source]) => `(${source})`).join("|"), "g"), names, keywords, spans, anyCase };
}

export class Highlighter {
  /** Return a highlighter for a language, or null where we know no colours for it. */
  static of(language) {
    const name = language.toLowerCase();
    if (DIFF.has(name)) return new DiffHighlighter();
    const known = FAMILY_OF.get(name);
    return known ? new Highlighter(known) : null;
  }

  constructor(known) {
    this.family = known;
    this.reset();
  }

  reset() {
    this.inside = null;
  }

  /** Return the next line's parts: strings, and {name, text} for what has a colour. */
  line(text) {
    const parts = [];
    let at = this.inside ? this.#goOn(text, 0, parts) : 0;
    const { pattern } = this.family;
    while (at < text.length) {
      pattern.lastIndex = at;
      const found = pattern.exec(text);
      if (!found) break;
      if (found.index > at) parts.push(text.slice(at, found.index));
      at = this.#take(text, found, parts);
    }
    if (at < text.length) parts.push(text.slice(at));
    return parts;
  }

  #take(text, found, parts) {
    const { names, keywords, spans, anyCase } = this.family;
    const group = names.findIndex((_, index) => found[index + 1] !== undefined);
    const name = names[group];
    if (name === "span") {
      this.inside = spans.find(([open]) => open === found[0]);
      return this.#goOn(text, found.index, parts, found[0].length);
    }
    const keyword = name === "word" && keywords.has(anyCase ? found[0].toLowerCase() : found[0]);
    const end = found.index + found[0].length;
    if (keyword) parts.push({ name: "keyword", text: found[0] });
    else if (name === "word" && text[end] === "(") parts.push({ name: "call", text: found[0] });
    else parts.push(name === "word" ? found[0] : { name, text: found[0] });
    return end;
  }

  /** Take a comment or string that goes on over lines, as far as this line has it. */
  #goOn(text, from, parts, opening = 0) {
    const [, close, name] = this.inside;
    const end = text.indexOf(close, from + opening);
    const to = end < 0 ? text.length : end + close.length;
    if (end >= 0) this.inside = null;
    if (to > from) parts.push({ name, text: text.slice(from, to) });
    return to;
  }
}

class DiffHighlighter {
  reset() {}

  line(text) {
    const name = { "+": "inserted", "-": "deleted", "@": "keyword" }[text[0]];
    return name ? [{ name, text }] : [text];
  }
}
