/** Tabs: arrow keys move among them, and one panel shows at a time. */

import { h } from "../core/dom.js";
import { newId } from "../forms/field.js";

/** Make tabs from `{name, label, panel, onshow}`. Returns `{list, panels, show(name)}`. */
export function tabs(label, entries) {
  const made = entries.map((entry) => {
    const id = newId("tab");
    const panel = h(
      "div",
      { role: "tabpanel", id: `${id}-panel`, "aria-labelledby": id, class: "tab-panel" },
      entry.panel,
    );
    const tab = h(
      "button",
      { type: "button", role: "tab", id, class: "tab", "aria-controls": panel.id, onclick: () => show(entry.name) },
      entry.label,
    );
    return { ...entry, tab, panel };
  });
  const list = h(
    "div",
    { class: "tabs", role: "tablist", "aria-label": label, hidden: made.length < 2 },
    made.map(({ tab }) => tab),
  );
  list.addEventListener("keydown", (event) => {
    const at = made.findIndex(({ tab }) => tab === document.activeElement);
    const forward = document.documentElement.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    const back = forward === "ArrowRight" ? "ArrowLeft" : "ArrowRight";
    const to = { [forward]: at + 1, [back]: at - 1, Home: 0, End: made.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = made.at(to % made.length);
    show(next.name);
    next.tab.focus();
  });
  function show(name) {
    for (const entry of made) {
      const chosen = entry.name === name;
      entry.tab.setAttribute("aria-selected", String(chosen));
      entry.tab.tabIndex = chosen ? 0 : -1;
      entry.panel.hidden = !chosen;
    }
    made.find((entry) => entry.name === name).onshow?.();
  }
  show(made[0].name);
  return { list, panels: made.map(({ panel }) => panel), show };
}
