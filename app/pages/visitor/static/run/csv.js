/** Reads and writes CSV (RFC 4180): what spreadsheets save, and what they may open without running it. */

export const MOST_BYTES = 5 * 1024 * 1024;
export const MOST_ROWS = 1000;
export const MOST_COLUMNS = 200;

/** An error of a CSV file. `code` is a key of the texts under `csv.`; `line` counts from 1. */
export class CsvError extends Error {
  constructor(code, line = 0) {
    super(code);
    this.code = code;
    this.line = line;
  }
}

/**
 * Parse a text into rows of cells. Rows without any text are left out.
 * Raises CsvError: `quote` for a quoted cell that never ends, `rows`, `columns` for too many.
 */
export function parseCsv(text, separator = separatorOf(text)) {
  const ends = new RegExp(`[${separator}\r\n]`, "g");
  const rows = [];
  let row = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let line = 1;
  for (;;) {
    let cell = "";
    if (text[at] === '"') {
      const quoted = quotedCell(text, at, line);
      cell = quoted.cell;
      at = quoted.next;
      line += quoted.lines;
    }
    // What stands behind a closing quote belongs to the cell, as spreadsheets read it.
    ends.lastIndex = at;
    const end = ends.exec(text)?.index ?? text.length;
    row.push(cell + text.slice(at, end));
    if (row.length > MOST_COLUMNS) throw new CsvError("columns", line);
    at = end + 1;
    if (text[end] === separator) continue;
    if (row.some((value) => value.trim() !== "")) rows.push(row);
    // The first row holds the names.
    if (rows.length > MOST_ROWS + 1) throw new CsvError("rows", line);
    row = [];
    if (text[end] === "\r" && text[at] === "\n") at += 1;
    line += 1;
    if (at >= text.length) return rows;
  }
}

/** The quoted cell that begins at `start`: its text, where reading goes on, and how many line breaks it holds. */
function quotedCell(text, start, line) {
  let cell = "";
  let at = start + 1;
  for (;;) {
    const end = text.indexOf('"', at);
    if (end < 0) throw new CsvError("quote", line);
    cell += text.slice(at, end);
    at = end + 1;
    if (text[at] !== '"') break;
    cell += '"';
    at += 1;
  }
  return { cell, next: at, lines: cell.split("\n").length - 1 };
}

/** What separates the cells of the first line: a comma, or what spreadsheets write in other countries. */
export function separatorOf(text) {
  let quoted = false;
  const counts = { ",": 0, ";": 0, "\t": 0 };
  for (const sign of text.slice(0, 65536)) {
    if (sign === '"') quoted = !quoted;
    else if (!quoted && (sign === "\n" || sign === "\r")) break;
    else if (!quoted && sign in counts) counts[sign] += 1;
  }
  const [best, count] = Object.entries(counts).sort((one, other) => other[1] - one[1])[0];
  return count > 0 ? best : ",";
}

/** The text of a CSV file, in UTF-8, UTF-16 with its mark, or what Windows calls ANSI. Raises CsvError: `size`. */
export async function readCsvFile(file) {
  if (file.size > MOST_BYTES) throw new CsvError("size");
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (wrong) {
    if (!(wrong instanceof TypeError)) throw wrong;
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Rows as a CSV file that a spreadsheet reads as UTF-8 and of which no cell is a formula to it. */
export function writeCsv(rows) {
  return "\uFEFF" + rows.map((row) => row.map(writtenCell).join(",") + "\r\n").join("");
}

function writtenCell(value) {
  let text = value === null || value === undefined ? "" : String(value);
  // A spreadsheet runs what begins like this; an apostrophe in front makes it a text. Plain numbers may stay.
  if (/^\s*[=+\-@\t\r|]/.test(text) && !/^[+-]?\d+([.,]\d+)?$/.test(text)) text = "'" + text;
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
