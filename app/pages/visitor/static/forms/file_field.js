/** The field of a `file` or `file-list`: by button, drop, paste or link, each file with its progress. */

import { h } from "../core/dom.js";
import { sizeText } from "../core/formats.js";
import { t } from "../core/texts.js";
import { fieldFrame, newId } from "./field.js";
import { extensionOf, extensionsFor, mappingOf, mostBytes, takes, typeFor } from "./file_kinds.js";
import { fileRow } from "./file_row.js";

/**
 * Make the field. `limits`: the app's `system_parameters`. `upload`: `{file(file, {progress, signal}), link(url, {signal})}`,
 * both resolve to the stored file as the server describes it and reject with an error whose message people may read.
 */
export function fileField(field, { limits, upload }) {
  const list = h("ul", { class: "file-rows" });
  const control = h("div", { class: "file-field", id: newId("files") });
  const frame = fieldFrame(control, { ...field, group: true });
  const rows = [];
  const most = field.files.most;

  const show = () => {
    list.replaceChildren(...rows.map((row) => h("li", {}, row.element)));
    adding.element.hidden = most > 0 && rows.length >= most;
    if (most > 1) frame.note.textContent = t("files.count", { count: rows.length, most });
    frame.describe();
  };
  const remove = (row) => {
    row.stop();
    rows.splice(rows.indexOf(row), 1);
    show();
    frame.problem("");
    changed();
    (adding.element.hidden ? list : adding.element).querySelector("button")?.focus();
  };
  const changed = () => control.dispatchEvent(new Event("input", { bubbles: true }));
  const begin = (row, start) => {
    rows.push(row);
    show();
    frame.problem("");
    row.run(start).then(() => {
      frame.problem("");
      changed();
    });
  };
  const addFile = (file) => {
    if (most && rows.length >= most) return frame.problem(t("files.tooMany", { count: most }));
    const extension = extensionOf(file.name);
    const type = typeFor(extension, field.files);
    const limit = mostBytes(extension, limits);
    if (!type) return frame.problem(t("files.notAllowed", { name: file.name }));
    if (limit && file.size > limit)
      return frame.problem(t("files.tooLarge", { name: file.name, size: sizeText(limit) }));
    const row = fileRow({ name: file.name, size: file.size, file }, remove);
    begin(row, async (signal, progress) =>
      mappingOf(await upload.file(file, { signal, progress }), type, "local_file"),
    );
  };
  const addLink = (url) => {
    if (most && rows.length >= most) return frame.problem(t("files.tooMany", { count: most }));
    const row = fileRow({ name: nameOfLink(url) }, remove);
    begin(row, async (signal) => {
      const stored = await upload.link(url, { signal });
      const type = typeFor(extensionOf(stored.name ?? ""), field.files);
      if (!type) throw new Error(t("files.notAllowed", { name: stored.name ?? url }));
      row.rename(stored.name, stored.size);
      return mappingOf(stored, type, "remote_url");
    });
  };
  const adding = addingPart(field, control, {
    addFile,
    addLink,
    problem: frame.problem,
    labelId: `${control.id}-label`,
  });
  control.append(list, adding.element);
  show();

  const check = () => {
    const unready = rows.find((row) => row.state !== "done");
    if (unready) frame.problem(t(unready.state === "failed" ? "files.failedOne" : "files.wait"));
    else if (field.required && !rows.length) frame.problem(t("forms.required"));
    else frame.problem("");
    return !unready && !(field.required && !rows.length);
  };
  return {
    field,
    element: frame.element,
    control,
    check,
    get() {
      const mappings = rows.filter((row) => row.state === "done").map((row) => row.mapping);
      return field.type === "file" ? (mappings[0] ?? null) : mappings;
    },
    set(value) {
      rows.splice(0).forEach((row) => row.stop());
      for (const known of [value].flat().filter((one) => one && typeof one === "object"))
        rows.push(knownRow(known, remove));
      show();
    },
    focus: () => (control.querySelector("button:not([hidden])") ?? control).focus(),
    say: (text) => frame.problem(text),
    lock: (locked) => control.querySelectorAll("button, input").forEach((part) => (part.disabled = locked)),
  };
}

/** The row of a file that the server knows already: a mapping, or a file object of an earlier run. */
function knownRow(known, remove) {
  const name = known.filename ?? known.name ?? nameOfLink(known.url ?? known.remote_url ?? "");
  const row = fileRow({ name, size: known.size > 0 ? known.size : undefined }, remove);
  row.finish({
    type: known.type,
    transfer_method: known.transfer_method,
    upload_file_id: known.upload_file_id ?? known.related_id ?? "",
    url: known.url ?? known.remote_url ?? "",
  });
  return row;
}

function nameOfLink(url) {
  const last = url.split(/[?#]/, 1)[0].split("/").pop();
  try {
    return decodeURIComponent(last) || url;
  } catch (wrong) {
    if (wrong instanceof URIError) return last;
    throw wrong;
  }
}

/** The buttons and the place to drop. */
function addingPart(field, control, { addFile, addLink, problem, labelId }) {
  const several = field.type === "file-list";
  const accepted = extensionsFor(field.files);
  const element = h("div", { class: "file-adding" });
  if (takes(field.files, "local_file")) {
    const picker = h("input", {
      type: "file",
      hidden: true,
      multiple: several,
      accept: accepted.map((extension) => `.${extension}`).join(","),
    });
    picker.addEventListener("change", () => {
      Array.from(picker.files).forEach(addFile);
      picker.value = "";
    });
    const id = newId("choose");
    element.append(
      h(
        "button",
        { type: "button", class: "button", id, "aria-labelledby": `${id} ${labelId}`, onclick: () => picker.click() },
        t(several ? "files.chooseMany" : "files.choose"),
      ),
      picker,
    );
    dropsAndPastes(control, addFile);
  }
  if (takes(field.files, "remote_url")) element.append(...linkPart({ addLink, problem }));
  if (accepted.length)
    element.append(h("p", { class: "file-kinds" }, t("files.kinds", { kinds: kindsText(field.files) })));
  return { element };
}

/** The kinds that a field takes, in words; extensions where the app names them. */
function kindsText(rules) {
  const words = rules.kinds.filter((kind) => kind !== "custom").map((kind) => t(`files.kind.${kind}`));
  const named = rules.kinds.includes("custom") ? rules.extensions.map((extension) => `.${extension}`) : [];
  return [...words, ...named].join(", ");
}

function linkPart({ addLink, problem }) {
  const address = h("input", {
    class: "field",
    type: "url",
    dir: "ltr",
    "aria-label": t("files.link"),
    placeholder: "https://",
  });
  const add = () => {
    const url = address.value.trim();
    if (!/^https?:\/\/[^\s/]+/i.test(url)) {
      problem(t("files.badLink"));
      return address.focus();
    }
    address.value = "";
    return addLink(url);
  };
  address.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    add();
  });
  const button = h("button", { type: "button", class: "button", onclick: add }, t("files.addLink"));
  return [h("div", { class: "file-link" }, address, button)];
}

function dropsAndPastes(control, addFile) {
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    control.classList.add("file-over");
  };
  control.addEventListener("dragenter", over);
  control.addEventListener("dragover", over);
  control.addEventListener("dragleave", (event) => {
    if (!control.contains(event.relatedTarget)) control.classList.remove("file-over");
  });
  control.addEventListener("drop", (event) => {
    control.classList.remove("file-over");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    Array.from(event.dataTransfer.files).forEach(addFile);
  });
  control.addEventListener("paste", (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    Array.from(event.clipboardData.files).forEach(addFile);
  });
}
