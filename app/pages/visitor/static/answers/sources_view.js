/** The sources of an answer: the documents that it goes by, each with the passages that were found. */

import { showDialog } from "../core/dialogs.js";
import { h, replace } from "../core/dom.js";
import { t } from "../core/texts.js";

/** Return `{element, update(answer), open(number)}`; `open` shows the source of this number, from 1. */
export function sourcesView() {
  const list = h("ul", { class: "sources" });
  const element = h("div", { class: "answer-sources", hidden: true }, h("span", { class: "soft" }, t("chat.sources")), list);
  let shown = [];
  return {
    element,
    update(answer) {
      if (answer.sources === shown) return;
      shown = answer.sources;
      element.hidden = shown.length === 0;
      replace(list, [...byDocument(shown)].map(([name, passages]) => h("li", {}, chip(name, passages))));
    },
    open(number) {
      const source = shown.find((one) => one.position === number) ?? shown[number - 1];
      if (source) showPassages(source.document_name, [source]);
    },
  };
}

/** Return the passages of each document, in the order in which they were found. */
function byDocument(sources) {
  const found = new Map();
  for (const source of sources) {
    const name = source.document_name || source.dataset_name || source.title || t("chat.source");
    found.set(name, [...(found.get(name) ?? []), source]);
  }
  return found;
}

function chip(name, passages) {
  const count = passages.length > 1 ? ` (${passages.length})` : "";
  return h("button", { type: "button", class: "chip", dir: "auto", onclick: () => showPassages(name, passages) }, name + count);
}

function showPassages(name, passages) {
  const content = passages.map((passage) =>
    h(
      "article",
      { class: "passage" },
      h("p", { class: "soft" }, whereOf(passage)),
      h("p", { class: "passage-text", dir: "auto" }, passage.content ?? ""),
    ),
  );
  showDialog({ title: name, content, className: "wide" });
}

function whereOf({ position, dataset_name: dataset, segment_position: segment, page, score }) {
  const parts = [
    position && `[${position}]`,
    dataset,
    segment && t("chat.passage", { number: segment }),
    page && t("chat.page", { number: page }),
    typeof score === "number" && score > 0 && t("chat.score", { score: score.toFixed(2) }),
  ];
  return parts.filter(Boolean).join(" · ");
}
