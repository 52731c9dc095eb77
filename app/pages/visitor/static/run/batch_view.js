/** A batch: a CSV file with one run a row, a few at a time, and a file with what came of them. */

import { button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { announce } from "../core/notices.js";
import { t } from "../core/texts.js";
import { newId } from "../forms/field.js";
import { BatchQueue } from "./batch_queue.js";
import { columnsOf, readRows, resultRows, templateRows } from "./batch_rows.js";
import { rowRunner } from "./batch_run.js";
import { BatchStore } from "./batch_store.js";
import { batchTable } from "./batch_table.js";
import { CsvError, MOST_ROWS, parseCsv, readCsvFile, writeCsv } from "./csv.js";
import { download } from "./download.js";

/** Make the part of the page. `goOn()` goes on with the batch of an earlier page, and says whether there is one. */
export function batchView(page) {
  const fields = columnsOf(page.parameters.user_input_form);
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const chooser = fileChooser((file) => take(file));
  const beginning = h(
    "section",
    { class: "batch-beginning" },
    h("p", {}, t("batch.about", { most: MOST_ROWS })),
    button(t("batch.template"), () => download(`${page.desk.code}-template.csv`, writeCsv(templateRows(fields)))),
    chooser.element,
  );
  const place = h("div", { class: "batch-place" });
  const element = h("div", { class: "batch" }, beginning, problem, place);
  let store = null;
  let work = null;

  const say = (text) => {
    problem.textContent = text;
    problem.hidden = !text;
  };
  const opened = async () => (store ??= await BatchStore.open(`${page.desk.code} ${page.app.endUserId}`));

  async function take(file) {
    say("");
    try {
      const { missing, unknown, rows } = readRows(parseCsv(await readCsvFile(file)), fields);
      if (missing.length) return say(t("csv.missing", { names: missing.join(", ") }));
      if (!rows.length) return say(t("csv.empty"));
      return preview(file.name, rows, unknown);
    } catch (wrong) {
      if (!(wrong instanceof CsvError)) throw wrong;
      return say(t(`csv.${wrong.code}`, { line: wrong.line, most: MOST_ROWS }));
    }
  }

  /** Say what was read before anything runs. */
  function preview(name, read, unknown) {
    const wrong = read.filter((row) => row.problem);
    const words = (row) => `${row.problem.field}: ${t(row.problem.key, row.problem)}`;
    const list = wrong
      .slice(0, 20)
      .map((row) => h("li", {}, t("batch.rowProblem", { row: read.indexOf(row) + 2, problem: words(row) })));
    const start = button(t("batch.start", { count: read.length - wrong.length }), () => begin(name, read), {
      kind: "primary",
    });
    start.disabled = wrong.length === read.length;
    const heading = h("h2", { tabindex: "-1", dir: "auto" }, name);
    place.replaceChildren(
      heading,
      h("p", {}, t("batch.read", { count: read.length })),
      unknown.length ? h("p", { class: "nothing" }, t("batch.unknown", { names: unknown.join(", ") })) : "",
      wrong.length ? h("p", { class: "form-problem" }, t("batch.wrong", { count: wrong.length })) : "",
      list.length ? h("ul", { class: "batch-problems" }, list) : "",
      h(
        "div",
        { class: "run-buttons" },
        start,
        button(t("batch.other"), () => place.replaceChildren(), { kind: "ghost" }),
      ),
    );
    heading.focus();
  }

  async function begin(name, read) {
    const rows = read.map(({ cells, inputs, problem: wrong }) => ({
      cells,
      inputs,
      state: wrong ? "failed" : "waiting",
      unfit: Boolean(wrong),
      output: "",
      error: wrong ? `${wrong.field}: ${t(wrong.key, wrong)}` : "",
      task: null,
      form: null,
    }));
    await (await opened()).begin({ name }, rows);
    return run(name, rows);
  }

  /** Show the rows and run those that wait. */
  async function run(name, rows) {
    beginning.hidden = true;
    const table = batchTable(fields, rows, {
      name,
      stop: () => work?.stop(),
      start: (chosen) => start(chosen),
      results: () => download(resultName(name), writeCsv(resultRows(fields, rows))),
      leave: () => leave(),
    });
    place.replaceChildren(table.element);
    const keep = (row) => store.keep(rows.indexOf(row), row);
    const start = async (chosen = (row) => row.state === "waiting") => {
      for (const row of rows) {
        if (row.state === "paused") row.state = "waiting";
        else if (chosen(row)) Object.assign(row, { state: "waiting", task: row.state === "failed" ? null : row.task });
      }
      work = new BatchQueue(rows, {
        run: rowRunner(page, keep),
        changed(row) {
          keep(row);
          table.update(row);
        },
        paused: table.paused,
      });
      addEventListener("beforeunload", warn);
      table.running(true);
      await work.start();
      removeEventListener("beforeunload", warn);
      work = null;
      table.running(false);
      announce(t("batch.ended"));
    };
    return start();
  }

  async function leave() {
    work?.stop();
    await (await opened()).drop();
    place.replaceChildren();
    beginning.hidden = false;
    chooser.element.querySelector("input").focus();
  }

  async function goOn() {
    const kept = await (await opened()).read();
    if (!kept?.rows.length) return false;
    for (const row of kept.rows) {
      if (row.state !== "running" && row.state !== "paused") continue;
      // Without a task nobody can say whether the server had begun with it.
      if (row.task) row.state = "waiting";
      else Object.assign(row, { state: "failed", error: t("batch.lost") });
    }
    run(kept.about.name, kept.rows);
    return true;
  }
  return { element, goOn };
}

function warn(event) {
  event.preventDefault();
}

function resultName(name) {
  return `${name.replace(/\.[^.]*$/, "")}-results.csv`;
}

/** A field for a CSV file, to click and to drop on. */
function fileChooser(take) {
  const id = newId("csv");
  const input = h("input", { id, type: "file", class: "visually-hidden", accept: ".csv,.tsv,.txt,text/csv" });
  const label = h("label", { class: "drop-zone", for: id }, h("span", {}, t("batch.choose")));
  const element = h("div", { class: "drop-place" }, input, label);
  input.addEventListener("change", () => {
    if (input.files[0]) take(input.files[0]);
    input.value = "";
  });
  const over = (event) => {
    event.preventDefault();
    element.classList.add("file-over");
  };
  element.addEventListener("dragenter", over);
  element.addEventListener("dragover", over);
  element.addEventListener(
    "dragleave",
    (event) => element.contains(event.relatedTarget) || element.classList.remove("file-over"),
  );
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    element.classList.remove("file-over");
    if (event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
  return { element };
}
