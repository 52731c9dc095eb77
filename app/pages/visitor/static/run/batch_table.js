/** The rows of a batch as they run: how far it is, what failed, and each result. */

import { button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { secondsText } from "../core/formats.js";
import { t } from "../core/texts.js";
import { writtenText } from "../forms/written_text.js";
import { headingsOf } from "./batch_rows.js";

const SAY_EACH_MS = 10_000;

/**
 * Make the table. `stop()`, `start(chosen)` (rows that wait or failed), `results()` and `leave()` are the buttons' work.
 * Returns `{element, update(row), running(on), paused(seconds)}`.
 */
export function batchTable(fields, rows, { name, stop, start, results, leave }) {
  const bar = h("progress", { class: "batch-progress", max: rows.length, value: 0, "aria-label": t("batch.progress") });
  const count = h("p", { class: "batch-count" });
  const status = h("p", { class: "visually-hidden", role: "status" });
  const patience = h("p", { class: "nothing", role: "status", hidden: true });
  const stopButton = button(t("common.stop"), stop, { kind: "danger" });
  const goOn = button(t("batch.goOn"), () => start((row) => row.state === "waiting"), { kind: "primary" });
  const again = button(t("batch.retry", { count: 0 }), () =>
    start((row) => (row.state === "failed" && !row.unfit) || row.state === "waiting"),
  );
  const list = h("ol", { class: "batch-rows" });
  const views = new Map(rows.map((row, index) => [row, rowView(row, index, fields)]));
  list.append(...Array.from(views.values(), (view) => view.element));
  let active = false;
  let said = 0;

  const show = () => {
    const done = rows.filter((row) => row.state === "done").length;
    const failed = rows.filter((row) => row.state === "failed").length;
    // A row that does not fit the app's form fails again until its file is corrected.
    const worth = rows.filter((row) => row.state === "failed" && !row.unfit).length;
    bar.value = done + failed;
    count.textContent = t("batch.count", { done, all: rows.length, failed });
    stopButton.hidden = !active;
    goOn.hidden = active || !rows.some((row) => row.state === "waiting");
    again.hidden = active || !worth;
    again.textContent = t("batch.retry", { count: worth });
    if (Date.now() - said > SAY_EACH_MS) {
      said = Date.now();
      status.textContent = count.textContent;
    }
  };
  show();
  return {
    element: h(
      "section",
      { class: "batch-run", "aria-label": t("run.batch") },
      h("h2", { dir: "auto" }, name),
      bar,
      count,
      status,
      patience,
      h(
        "div",
        { class: "run-buttons" },
        stopButton,
        goOn,
        again,
        button(t("batch.results"), results),
        button(t("batch.new"), leave, { kind: "ghost" }),
      ),
      list,
    ),
    update(row) {
      views.get(row).update();
      show();
    },
    running(on) {
      active = on;
      show();
    },
    paused(seconds) {
      patience.hidden = !seconds;
      patience.textContent = seconds ? t("batch.patience", { time: secondsText(seconds) }) : "";
    },
  };
}

function rowView(row, index, fields) {
  const state = h("span", { class: "batch-state" });
  const headings = headingsOf(fields);
  const given = row.cells
    .map((cell, at) => (cell.trim() ? `${headings[at]}: ${cell.trim()}` : ""))
    .filter(Boolean)
    .join(" · ");
  const result = h("div", { class: "batch-result" });
  const element = h(
    "li",
    { class: "batch-row" },
    h(
      "div",
      { class: "batch-line" },
      h("span", { class: "batch-given", dir: "auto", title: given }, given || t("batch.row", { row: index + 1 })),
      state,
    ),
    result,
  );
  let shown = "";
  const update = () => {
    const now = `${row.state} ${row.form ?? ""} ${row.error}`;
    if (now === shown) return;
    shown = now;
    element.dataset.state = row.state;
    state.textContent = t(`batch.is.${row.state}`);
    if (row.state === "failed") result.replaceChildren(h("p", { class: "batch-error", dir: "auto" }, row.error));
    else if (row.state === "paused" && row.form) result.replaceChildren(formLink(row.form));
    else if (row.state === "done") result.replaceChildren(unfoldingText(row.output));
    else result.replaceChildren();
  };
  update();
  return { element, update };
}

function formLink(token) {
  return h(
    "a",
    { href: `/form/${encodeURIComponent(token)}`, target: "_blank", rel: "noopener" },
    t("batch.answerForm"),
  );
}

/** A result that is drawn when somebody opens it: a thousand of them at once would be slow. */
function unfoldingText(text) {
  const short = text.trim().replace(/\s+/g, " ").slice(0, 140);
  const details = h("details", {}, h("summary", { dir: "auto" }, short || t("run.nothing")));
  details.addEventListener(
    "toggle",
    () => details.open && details.children.length === 1 && details.append(writtenText(text)),
  );
  return details;
}
