/** From the rows of a CSV file to the inputs of runs, and back to a file with their results. */

import { t } from "../core/texts.js";
import { fieldsOf, jsonValue, MALFORMED, numberValue, problemOf } from "../forms/input_rules.js";
import { extensionOf, typeFor } from "../forms/file_kinds.js";

/** The fields that a file has a column for. */
export function columnsOf(userInputForm) {
  return fieldsOf(userInputForm).filter((field) => !field.hidden);
}

/** What heads a field's column: its label, or its name where two fields have the same label. */
export function headingsOf(fields) {
  const labels = fields.map((field) => field.label);
  return fields.map((field) => (labels.filter((label) => label === field.label).length > 1 ? field.name : field.label));
}

/** The rows of a template: the headings, and a row that shows what may stand in each where that is not plain. */
export function templateRows(fields) {
  const example = fields.map(exampleOf);
  return [headingsOf(fields), ...(example.some((cell) => cell !== "") ? [example] : [])];
}

function exampleOf(field) {
  if (field.initial !== null && typeof field.initial !== "object") return field.initial;
  if (field.type === "select") return field.options[0] ?? "";
  if (field.type === "checkbox") return "true";
  if (field.type === "number") return 1;
  if (field.type === "file" || field.type === "file-list") return "https://example.com/file";
  return field.type === "json_object" ? "{}" : "";
}

/**
 * Read rows by their headings, which are labels or names in any order and case.
 * Returns `{missing, rows}`: the headings of fields that must be filled in and have no column, and for each row
 * `{cells, inputs, problem}` with the first problem of its values as `{key, field, …}` or null.
 */
export function readRows(rows, fields) {
  const [head = [], ...body] = rows;
  const plain = (text) => text.trim().toLowerCase();
  const headings = headingsOf(fields).map(plain);
  const columns = fields.map((field, index) => {
    const found = head.findIndex((cell) => plain(cell) === headings[index]);
    return found >= 0 ? found : head.findIndex((cell) => plain(cell) === plain(field.name));
  });
  const missing = fields.filter((field, index) => columns[index] < 0 && field.required).map((field) => field.label);
  return {
    missing,
    unknown: head.filter((cell, index) => cell.trim() && !columns.includes(index)),
    rows: body.map((cells) =>
      readRow(
        columns.map((column) => cells[column] ?? ""),
        fields,
      ),
    ),
  };
}

function readRow(cells, fields) {
  const inputs = {};
  let problem = null;
  fields.forEach((field, index) => {
    const value = cellValue(cells[index], field);
    const wrong = problemOf(field, value);
    if (wrong && !problem) problem = { ...wrong, field: field.label };
    // An empty cell leaves the field to its default.
    if (value !== null && value !== MALFORMED && value !== "") inputs[field.name] = value;
    else if (field.initial !== null) inputs[field.name] = field.initial;
    else if (value === "" && ["text-input", "paragraph"].includes(field.type)) inputs[field.name] = "";
  });
  return { cells, inputs, problem };
}

function cellValue(cell, field) {
  const text = cell.trim();
  switch (field.type) {
    case "number":
      return numberValue(text);
    case "checkbox":
      return text === "" ? null : /^(true|1|yes|on|x)$/i.test(text);
    case "json_object":
      return jsonValue(text);
    case "file":
      return text ? linkMapping(text, field) : null;
    case "file-list":
      return text
        .split(/\s+/)
        .filter(Boolean)
        .map((url) => linkMapping(url, field));
    case "select":
      return text;
    default:
      return cell;
  }
}

function linkMapping(url, field) {
  const type = typeFor(extensionOf(url), field.files) ?? field.files.kinds?.[0] ?? "custom";
  return { type, transfer_method: "remote_url", url, upload_file_id: "" };
}

/** The rows of the file of results: the cells that were read, the state of each run and what came of it. */
export function resultRows(fields, rows) {
  const head = [...headingsOf(fields), t("batch.state"), t("batch.result"), t("batch.error")];
  return [head, ...rows.map((row) => [...row.cells, t(`batch.is.${row.state}`), row.output ?? "", row.error ?? ""])];
}
