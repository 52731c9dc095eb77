/** One file of a field: its name, size, picture, progress and problem. */

import { iconButton } from "../core/controls.js";
import { h } from "../core/dom.js";
import { sizeText } from "../core/formats.js";
import { icon } from "../core/icons.js";
import { t } from "../core/texts.js";

/**
 * Make the row. `about`: `{name, size, file}`; `remove(row)` is called by the visitor's wish.
 * `run(start)` uploads: `start(signal, progress)` resolves to the file's mapping; `progress` takes 0 to 1.
 */
export function fileRow(about, remove) {
  const stopping = new AbortController();
  const name = h("span", { class: "file-name", dir: "auto" }, about.name);
  const state = h("span", { class: "file-state" });
  const announced = h("span", { class: "visually-hidden", role: "status" });
  const bar = h("progress", { class: "file-progress", max: 1, hidden: true, "aria-label": about.name });
  const again = h("button", { type: "button", class: "button button-small", hidden: true }, t("error.tryAgain"));
  const away = iconButton("close", t("files.remove", { name: about.name }), () => remove(row), { class: "small" });
  const preview = previewOf(about.file);
  const row = {
    state: "waiting",
    mapping: null,
    element: h(
      "div",
      { class: "file-row" },
      preview.element,
      h("div", { class: "file-about" }, name, state, bar),
      again,
      away,
      announced,
    ),
    stop() {
      stopping.abort();
      preview.free();
    },
    finish(mapping) {
      row.state = "done";
      row.mapping = mapping;
      bar.hidden = true;
      again.hidden = true;
      state.textContent = about.size === undefined ? "" : sizeText(about.size);
    },
    rename(given, size) {
      about.name = given || about.name;
      about.size = size > 0 ? size : about.size;
      name.textContent = about.name;
    },
    async run(start) {
      row.state = "uploading";
      bar.hidden = false;
      bar.removeAttribute("value");
      again.hidden = true;
      state.textContent = t("files.uploading");
      row.element.classList.remove("file-failed");
      try {
        row.finish(await start(stopping.signal, (part) => (bar.value = part)));
        announced.textContent = t("files.ready", { name: about.name });
      } catch (wrong) {
        if (stopping.signal.aborted) return;
        row.state = "failed";
        bar.hidden = true;
        again.hidden = false;
        again.onclick = () => row.run(start);
        row.element.classList.add("file-failed");
        state.textContent = wrong.message || t("files.failed");
        announced.textContent = state.textContent;
      }
    },
  };
  return row;
}

function previewOf(file) {
  if (!file || !/^image\/(png|jpeg|gif|webp)$/.test(file.type)) {
    return { element: h("span", { class: "file-picture" }, icon("file")), free() {} };
  }
  const address = URL.createObjectURL(file);
  return {
    element: h("img", { class: "file-picture", src: address, alt: "" }),
    free: () => URL.revokeObjectURL(address),
  };
}
