/** The files of a question: chosen, dropped, pasted, or named by a link; uploaded at once, shown in small. */

import { iconButton } from "../core/controls.js";
import { asked } from "../core/dialogs.js";
import { h } from "../core/dom.js";
import { sizeText } from "../core/formats.js";
import { notify } from "../core/notices.js";
import { menuButton } from "../core/popups.js";
import { t } from "../core/texts.js";
import { extensionOf, extensionsFor, mappingOf as mappingOfStored, mostBytes, takes, typeFor } from "../forms/file_kinds.js";
import { fileRow } from "../forms/file_row.js";

/** Return what files a question may have, from `parameters.file_upload`; null where it may have none. */
export function fileRules(upload) {
  const image = upload?.image ?? {};
  if (!upload?.enabled && !image.enabled) return null;
  const most = upload.number_limits ?? image.number_limits ?? 3;
  const kinds = upload.allowed_file_types ?? ["image"];
  return {
    kinds,
    extensions: (upload.allowed_file_extensions ?? []).map((extension) => extension.toLowerCase().replace(/^\./, "")),
    methods: upload.allowed_file_upload_methods ?? image.transfer_methods ?? ["local_file", "remote_url"],
    most,
  };
}

/** Return the mapping of a file of the history, to send it once more. */
export function mappingOf(file) {
  const isRemote = file.transfer_method === "remote_url";
  return {
    type: file.type,
    transfer_method: file.transfer_method,
    upload_file_id: file.upload_file_id ?? file.related_id ?? "",
    url: isRemote ? (file.url ?? "") : "",
  };
}

/** The files of the question that is being written. `button` and `list` are its parts on the page. */
export class Attachments {
  #desk;
  #rules;
  #limits;
  #rows = [];

  constructor(desk, parameters) {
    this.#desk = desk;
    this.#rules = fileRules(parameters.file_upload);
    this.#limits = parameters.system_parameters ?? {};
    this.list = h("ul", { class: "attachments", hidden: true, "aria-label": t("chat.files") });
    this.picker = h("input", { type: "file", hidden: true, multiple: true, onchange: () => this.#pick() });
    this.button = this.#rules ? this.#button() : null;
  }

  /** Whether a file is on its way, or could not be sent. */
  get unready() {
    return this.#rows.some(({ row }) => row.state !== "done");
  }

  #button() {
    const extensions = extensionsFor(this.#rules);
    this.picker.accept = extensions.map((extension) => `.${extension}`).join(",");
    const local = takes(this.#rules, "local_file");
    const remote = takes(this.#rules, "remote_url");
    if (local && !remote) return h("span", {}, iconButton("attach", t("chat.attach"), () => this.picker.click()), this.picker);
    const items = () => [
      ...(local ? [{ label: t("chat.fromDevice"), action: () => this.picker.click() }] : []),
      { label: t("chat.fromLink"), action: () => this.#askForLink() },
    ];
    return h("span", {}, menuButton(iconButton("attach", t("chat.attach"), () => {}), items), this.picker);
  }

  /** Take files from the device; returns whether there was one to take. */
  take(files) {
    if (!this.#rules || !takes(this.#rules, "local_file")) return false;
    for (const file of files) this.#addFile(file);
    return files.length > 0;
  }

  /** Return the files as they are sent and shown, and forget them. */
  handOver() {
    const files = this.#rows.map(({ row, shown }) => ({ ...row.mapping, ...shown, mapping: row.mapping }));
    this.#rows = [];
    this.#show();
    return files;
  }

  #pick() {
    this.take([...this.picker.files]);
    this.picker.value = "";
  }

  #addFile(file) {
    const extension = extensionOf(file.name);
    const type = typeFor(extension, this.#rules);
    const most = mostBytes(extension, this.#limits);
    if (!type) return notify(t("files.notAllowed", { name: file.name }), "bad");
    if (most && file.size > most) {
      return notify(t("files.tooLarge", { name: file.name, size: sizeText(most) }), "bad");
    }
    return this.#add({ name: file.name, size: file.size, file }, { filename: file.name, type, size: file.size, url: URL.createObjectURL(file) }, async (row, signal, progress) => {
      const stored = await this.#desk.upload(file, { signal, onProgress: progress });
      return mappingOfStored(stored, type, "local_file");
    });
  }

  async #askForLink() {
    const url = (await asked({ title: t("chat.fromLink"), label: t("chat.linkLabel"), yes: t("chat.addLink"), most: 2_000 }))?.trim();
    if (!url) return;
    if (!/^https?:\/\/[^\s/]+/i.test(url)) return void notify(t("files.badLink"), "bad");
    const shown = { filename: url };
    this.#add({ name: url }, shown, async (row) => {
      const stored = await this.#desk.uploadLink(url);
      const type = typeFor(extensionOf(stored.name ?? ""), this.#rules);
      if (!type) throw new Error(t("files.notAllowed", { name: stored.name ?? url }));
      row.rename(stored.name, stored.size);
      Object.assign(shown, { filename: stored.name, type });
      return mappingOfStored(stored, type, "remote_url");
    });
  }

  #add(about, shown, start) {
    if (this.#rows.length >= this.#rules.most) return notify(t("files.tooMany", { count: this.#rules.most }), "bad");
    const row = fileRow(about, () => this.#remove(row));
    this.#rows.push({ row, shown });
    this.#show();
    return row.run((signal, progress) => start(row, signal, progress));
  }

  #remove(row) {
    row.stop();
    this.#rows = this.#rows.filter((kept) => kept.row !== row);
    this.#show();
  }

  #show() {
    this.list.replaceChildren(...this.#rows.map(({ row }) => h("li", {}, row.element)));
    this.list.hidden = this.#rows.length === 0;
  }
}
