/** What one line of Markdown is. Each function reads a line once, whatever stands in it. */

/** A list item's marker, a footnote's beginning. */
export const ITEM = /^(\d{1,9}[.)]|[-+*])(?=[ \t]|$)/;
export const NOTE = /^\[\^([^\]\s]{1,40})\]:[ \t]*/;
const DEFINITION = /^ {0,3}\[([^\]^][^\]]{0,199})\]:[ \t]*<?([^\s<>]+)>?[ \t]*("[^"]*"|'[^']*'|\([^)]*\))?[ \t]*$/;
const FOLDS = /^<(think|details)(?:\s[^>]{0,200})?>\s*(?:<summary>(.{0,300}?)<\/summary>)?/i;
const SUMMARY = /^<summary>(.{0,300}?)<\/summary>/i;

/** Return the line with the tabs at its head as spaces up to the next fourth column. */
export function expandTabs(line) {
  let at = 0;
  let column = 0;
  for (; line[at] === " " || line[at] === "\t"; at++) column += line[at] === "\t" ? 4 - (column % 4) : 1;
  return at === column ? line : " ".repeat(column) + line.slice(at);
}

export function indentOf(line) {
  let at = 0;
  while (line[at] === " ") at++;
  return at;
}

export function isRule(line) {
  if (!/^ {0,3}[-*_]/.test(line) || line.length > 1000) return false;
  const marks = line.replace(/[ \t]+/g, "");
  return marks.length >= 3 && marks.replaceAll(marks[0], "") === "";
}

/** Return {fence, language} of a line that opens a code block, or null. */
export function fenceOf(line) {
  const found = /^ {0,3}(`{3,}|~{3,})/.exec(line);
  if (!found) return null;
  const words = line.slice(found[0].length).trim();
  if (found[1][0] === "`" && words.includes("`")) return null;
  return { fence: found[1], language: (/^[^\s{,:]{1,40}/.exec(words) || [""])[0] };
}

/** Return {level, lines} of a line that is a heading, or null. */
export function headingOf(line) {
  const found = /^ {0,3}(#{1,6})(?=[ \t]|$)/.exec(line);
  if (!found) return null;
  const text = line.slice(found[0].length).trim();
  let end = text.length;
  while (text[end - 1] === "#") end--;
  const closed = end < text.length && (end === 0 || " \t".includes(text[end - 1]));
  return { level: found[1].length, lines: [closed ? text.slice(0, end).trim() : text] };
}

/** Return {closing, lines, whole} of a line that opens a block of mathematics, or null. */
export function mathOf(line) {
  const text = line.trim();
  const opening = text.slice(0, 2);
  const closing = { $$: "$$", "\\[": "\\]" }[opening];
  if (!closing) return null;
  const end = text.indexOf(closing, 2);
  if (end < 0) return { closing, lines: text.length > 2 ? [text.slice(2)] : [], whole: false };
  return end === text.length - 2 && end > 2 ? { closing, lines: [text.slice(2, end)], whole: true } : null;
}

/** Return {closing, summary, rest} of a line that opens a fold, or null. */
export function foldOf(line) {
  const found = FOLDS.exec(line);
  if (found) {
    const tag = found[1].toLowerCase();
    return { closing: `</${tag}>`, summary: found[2]?.trim() ?? "", rest: line.slice(found[0].length) };
  }
  return null;
}

/** Return the words of a `<summary>` that stands on a line of its own, or null. */
export function summaryOf(line) {
  const found = SUMMARY.exec(line);
  return found && found[0].length === line.trim().length ? found[1].trim() : null;
}

/** Return {label, href, title} of a link definition, or null. */
export function definitionOf(line) {
  const found = DEFINITION.exec(line);
  return found && { label: labelOf(found[1]), href: found[2], title: found[3]?.slice(1, -1) ?? "" };
}

export const labelOf = (text) => text.trim().replace(/\s+/g, " ").toLowerCase();

/** Return the cells of a table's row, as Markdown. */
export function cellsOf(line) {
  const row = line.trim();
  const cells = [];
  let cell = "";
  for (let at = row[0] === "|" ? 1 : 0; at < row.length; at++) {
    if (row[at] === "\\" && row[at + 1] === "|") {
      cell += "|";
      at++;
    } else if (row[at] === "|") {
      cells.push(cell.trim());
      cell = "";
    } else {
      cell += row[at];
    }
  }
  if (cell.trim() || !row.endsWith("|")) cells.push(cell.trim());
  return cells;
}

/** Return how each column is aligned, where the line is the row under a table's head; else null. */
export function delimiterRow(line) {
  if (!/^[ \t|:-]+$/.test(line) || !line.includes("-")) return null;
  const cells = cellsOf(line);
  if (!cells.every((cell) => /^:?-+:?$/.test(cell))) return null;
  return cells.map((cell) => (cell.endsWith(":") ? (cell[0] === ":" ? "center" : "end") : "start"));
}

/** Whether the last line of a text that grows says too little to be shown: a marker, half a marker, half a tag. */
export function saysLittle(line, leaf) {
  const bare = line.trim();
  if (leaf?.kind === "code" && leaf.fence) return bare !== "" && bare.replaceAll(leaf.fence[0], "") === "";
  if (leaf?.kind === "math") return bare === "$" || bare === "\\";
  if (bare.length > 60 && bare[0] !== "[") return false;
  return (
    /^[-+*=_#>`~|:$\\\s]*$/.test(bare) ||
    /^\d{1,9}[.)]?$/.test(bare) ||
    /^(`{3,}|~{3,})[\w+#.-]*$/.test(bare) ||
    /^<\/?[a-z]*$/i.test(bare) ||
    /^\[[^\]]{1,200}\]:\s*\S*$/.test(bare)
  );
}
