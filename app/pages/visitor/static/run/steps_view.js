/** The steps of a workflow run, with their times: what is running, what came of it, what failed. */

import { h } from "../core/dom.js";
import { secondsText } from "../core/formats.js";
import { t } from "../core/texts.js";

const SIGNS = { running: "…", succeeded: "✓", failed: "✕", exception: "!", stopped: "■", paused: "‖", retry: "↻" };

/** Make the view; `update(run)` shows what has changed since. */
export function stepsView() {
  const list = h("ol", { class: "steps" });
  const shown = new Map();
  return {
    element: list,
    update(run) {
      for (const step of run.steps) {
        let view = shown.get(step.id);
        if (!view) {
          view = stepView(step);
          shown.set(step.id, view);
          list.append(view.element);
        }
        view.update(step);
      }
    },
  };
}

function stepView(step) {
  const sign = h("span", { class: "step-sign", "aria-hidden": "true" });
  const state = h("span", { class: "visually-hidden" });
  const rounds = h("span", { class: "step-rounds" });
  const time = h("span", { class: "step-time" });
  const error = h("p", { class: "step-error", dir: "auto", hidden: true });
  const logs = h("ul", { class: "step-logs", hidden: true });
  const element = h(
    "li",
    { class: "step" },
    h(
      "div",
      { class: "step-line" },
      sign,
      h("span", { class: "step-title", dir: "auto" }, step.title || step.kind),
      state,
      rounds,
      time,
    ),
    error,
    logs,
  );
  element.classList.toggle("step-within", Boolean(step.within));
  let known = "";
  return {
    element,
    update(now) {
      const seen = JSON.stringify([
        now.status,
        now.elapsed,
        now.error,
        now.round,
        now.retries,
        now.logs.length,
        now.logs.at(-1)?.status,
      ]);
      if (seen === known) return;
      known = seen;
      element.dataset.status = now.status;
      sign.textContent = SIGNS[now.status] ?? "•";
      state.textContent = t(`run.step.${now.status in SIGNS ? now.status : "running"}`);
      rounds.textContent = now.rounds === null ? "" : t("run.rounds", { round: now.round, rounds: now.rounds });
      time.textContent = now.elapsed === null ? "" : secondsText(now.elapsed);
      error.textContent = [now.retries ? t("run.retries", { count: now.retries }) : "", now.error]
        .filter(Boolean)
        .join(" · ");
      error.hidden = !error.textContent;
      logs.replaceChildren(...now.logs.map((log) => logLine(log)));
      logs.hidden = !now.logs.length;
    },
  };
}

function logLine(log) {
  const sign = { success: SIGNS.succeeded, error: SIGNS.failed }[log.status] ?? SIGNS.running;
  return h(
    "li",
    { class: log.parent ? "step-log step-log-within" : "step-log", dir: "auto" },
    h("span", { "aria-hidden": "true" }, `${sign} `),
    log.error ? `${log.label}: ${log.error}` : log.label,
  );
}
