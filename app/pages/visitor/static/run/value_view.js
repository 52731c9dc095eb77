/** A value of a run for people: texts as Markdown, files as files, everything else as JSON. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { writtenText } from "../forms/written_text.js";
import { fileList } from "./file_list.js";
import { filesIn } from "./run_state.js";

/** Make the view of a value. */
export function valueView(value) {
  const empty = value === null || value === undefined || value === "" || (Array.isArray(value) && !value.length);
  if (empty) return h("p", { class: "nothing" }, t("run.nothing"));
  if (typeof value === "string") return writtenText(value);
  const files = filesIn(value);
  const only = Array.isArray(value) ? value.length === files.length : files[0] === value;
  if (files.length && only) return fileList(files);
  if (typeof value !== "object") return h("p", { dir: "auto" }, String(value));
  return h("div", {}, jsonView(value), files.length ? fileList(files) : null);
}

/** A value as JSON, which a keyboard can scroll. */
export function jsonView(value) {
  const text = JSON.stringify(value, null, 2);
  return h(
    "pre",
    { class: "json", tabindex: "0", dir: "ltr", role: "region", "aria-label": t("run.json") },
    h("code", {}, text),
  );
}

/** Named values, each under its name. */
export function namedValues(parts) {
  return h(
    "dl",
    { class: "values" },
    parts.map(({ name, value }) =>
      h("div", { class: "value" }, h("dt", { dir: "auto" }, name), h("dd", {}, valueView(value))),
    ),
  );
}
