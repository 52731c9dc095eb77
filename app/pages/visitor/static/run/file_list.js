/** The files of a result: pictures, sounds and films to look at, everything to download. */

import { h } from "../core/dom.js";
import { sizeText } from "../core/formats.js";
import { t } from "../core/texts.js";

/** Make the list of file objects (contract endpoints.md, "File object"). */
export function fileList(files) {
  return h(
    "ul",
    { class: "result-files" },
    files.map((file) => h("li", {}, fileCard(file))),
  );
}

function fileCard(file) {
  const address = safeAddress(file.url || file.remote_url);
  const name = file.filename || t("files.unnamed");
  const about = file.size > 0 ? h("span", { class: "file-state" }, sizeText(file.size)) : null;
  const link = address
    ? h(
        "a",
        {
          class: "file-name",
          href: address,
          "data-file": file.related_id,
          download: name,
          target: "_blank",
          rel: "noopener noreferrer",
          dir: "auto",
        },
        name,
      )
    : h("span", { class: "file-name", dir: "auto" }, name);
  return h("div", { class: "file-card" }, address ? mediaOf(file, address, name) : null, link, about);
}

/** The address, where it is one of the web. */
function safeAddress(address) {
  try {
    const url = new URL(address, location.href);
    return Boolean(address) && ["http:", "https:", "blob:"].includes(url.protocol) ? url.href : null;
  } catch (wrong) {
    if (wrong instanceof TypeError) return null;
    throw wrong;
  }
}

function mediaOf(file, address, name) {
  const mime = file.mime_type ?? "";
  if (file.type === "image" || mime.startsWith("image/"))
    return h("img", { class: "file-image", src: address, "data-file": file.related_id, alt: name, loading: "lazy" });
  if (file.type === "audio" || mime.startsWith("audio/"))
    return h("audio", {
      src: address,
      "data-file": file.related_id,
      controls: true,
      preload: "none",
      "aria-label": name,
    });
  if (file.type === "video" || mime.startsWith("video/"))
    return h("video", {
      class: "file-image",
      src: address,
      "data-file": file.related_id,
      controls: true,
      preload: "none",
      "aria-label": name,
    });
  return null;
}
