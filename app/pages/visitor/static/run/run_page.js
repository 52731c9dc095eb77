/** The page of a completion or workflow app: its form, its results, a batch, and saved answers. */

import { LiveTasks } from "../core/live_tasks.js";
import { h } from "../core/dom.js";
import { pageHead, showPage, smallPrint } from "../core/frame.js";
import { openApp } from "../core/opening.js";
import { t } from "../core/texts.js";
import { batchView } from "./batch_view.js";
import { singleRun } from "./single_run.js";
import { savedView } from "./saved_view.js";
import { tabs } from "./tabs.js";

/** Show the page of the app that the address names. `mode`: `completion` or `workflow`. */
export async function showRunPage(mode) {
  const opened = await openApp();
  if (!opened) return;
  const { desk, app, handed } = opened;
  const page = {
    mode,
    desk,
    app,
    parameters: app.parameters,
    handed,
    kept: new LiveTasks(`${desk.code}-results`, app.endUserId),
  };
  const saved = mode === "completion" ? savedView(page) : null;
  const single = singleRun(page, { savedChanged: () => saved?.load() });
  const batch = batchView(page);
  const entries = [
    { name: "once", label: t("run.once"), panel: single.element },
    { name: "batch", label: t("run.batch"), panel: batch.element },
  ];
  if (saved) entries.push({ name: "saved", label: t("run.savedAnswers"), panel: saved.element, onshow: saved.load });
  const { list, panels, show } = tabs(t("run.ways"), entries);
  const about = app.description ? h("p", { class: "run-about", dir: "auto" }, app.description) : null;
  showPage(
    pageHead(app),
    h("main", { class: "run-page" }, h("div", { class: "run-room" }, about, list, panels)),
    smallPrint(app),
  );
  if (await batch.goOn()) show("batch");
}
