/** What an agent thought and did, folded: one line a tool that it used, with what it sent and what came back. */

import { folded } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { t } from "../core/texts.js";

const LONGEST = 4_000;

/** Return `{element, update(answer)}`. `showsText(answer)`: whether the answer's text says the thoughts itself. */
export function thoughtsView() {
  const summary = h("span", {});
  const list = h("ol", { class: "steps thoughts" });
  const element = folded(summary, list, { class: "answer-fold", hidden: true });
  let known = "";
  return {
    element,
    update(answer) {
      const thoughts = [...answer.thoughts.values()].filter((thought) => thought.tool).sort(byPosition);
      element.hidden = thoughts.length === 0;
      const seen = JSON.stringify(thoughts.map((one) => [one.id, one.thought, one.tool_input, one.observation]));
      if (seen === known) return;
      known = seen;
      const last = thoughts.at(-1);
      const working = answer.isOpen && last && !last.observation;
      summary.textContent = working
        ? t("chat.usingTool", { tool: toolName(last) })
        : t("chat.usedTools", { count: thoughts.length });
      replace(list, thoughts.map((thought) => line(thought, answer.isOpen)));
    },
  };
}

function byPosition(one, other) {
  return one.position - other.position;
}

function toolName({ tool, tool_labels: labels }) {
  const names = String(tool).split(";");
  return names.map((name) => labels?.[name]?.en_US ?? labels?.[name]?.zh_Hans ?? name).join(", ");
}

function line(thought, open) {
  const running = open && !thought.observation;
  const parts = [
    thought.thought && h("p", { class: "thought-words", dir: "auto" }, thought.thought),
    thought.tool_input && part(t("chat.toolInput"), thought.tool_input),
    thought.observation && part(t("chat.toolResult"), thought.observation),
  ];
  return h(
    "li",
    { class: "step", dataset: { status: running ? "running" : "succeeded" } },
    h(
      "div",
      { class: "step-line" },
      h("span", { class: "step-sign", "aria-hidden": "true" }, running ? "…" : "✓"),
      h("span", { class: "step-title", dir: "auto" }, toolName(thought)),
    ),
    parts,
  );
}

function part(title, text) {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
  return h("div", { class: "thought-part" }, h("span", { class: "thought-title" }, title), h("pre", { dir: "auto" }, shown));
}
