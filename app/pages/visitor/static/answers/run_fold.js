/** The steps of an answer's workflow run, folded: the summary says what runs now, or how long it took. */

import { folded, spinner } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { secondsText } from "../core/formats.js";
import { t } from "../core/texts.js";
import { stepsView } from "../run/steps_view.js";

/** Return `{element, update(answer)}`. */
export function runFold() {
  const summary = h("span", { class: "fold-summary" });
  let steps = stepsView();
  const place = h("div", {}, steps.element);
  const element = folded(summary, place, { class: "answer-fold", hidden: true });
  let run = null;
  let said = "";
  return {
    element,
    update(answer) {
      if (run !== answer.run) {
        // Read again from its beginning.
        steps = stepsView();
        replace(place, steps.element);
        run = answer.run;
      }
      element.hidden = run.steps.length === 0;
      const words = summaryOf(answer);
      if (words !== said) {
        said = words;
        replace(summary, answer.isOpen && answer.state !== "paused" && spinner(), words);
      }
      steps.update(run);
    },
  };
}

function summaryOf(answer) {
  const { run } = answer;
  if (answer.state === "paused") return t("chat.runWaits");
  if (answer.isOpen) {
    const running = run.steps.findLast((step) => step.status === "running");
    return running ? t("chat.runAt", { step: running.title || running.kind }) : t("chat.runGoesOn");
  }
  const count = run.steps.length;
  if (run.elapsed === null) return t("chat.runSteps", { count });
  return t("chat.runTook", { count, time: secondsText(run.elapsed) });
}
