/**
 * Diagrams: Mermaid, where this server has it, draws in a frame without rights (sandbox, a policy of its own); the
 * drawing comes back as a picture, in which nothing runs. Without it the diagram's source stands there alone.
 */

import { t } from "../core/texts.js";
import { element } from "./nodes.js";

const LONGEST = 20_000;
const SECONDS = 20;
let frame = null;
let asked = 0;
const waiting = new Map();

/** Draw Mermaid source as a picture in a node; where that cannot be done the node stays empty. */
export async function showDiagram(node, source) {
  if (source.length > LONGEST) return;
  const drawn = await ask(source);
  if (!drawn) return;
  const blob = URL.createObjectURL(new Blob([drawn.svg], { type: "image/svg+xml" }));
  const { width, height } = drawn;
  const picture = element("img", { alt: t("text.diagram"), class: "diagram", width, height });
  picture.addEventListener("load", () => URL.revokeObjectURL(blob), { once: true });
  picture.addEventListener("error", () => node.remove(), { once: true });
  picture.src = blob;
  node.replaceChildren(picture);
}

async function ask(source) {
  const { contentWindow } = await (frame ??= opened());
  const id = ++asked;
  return new Promise((resolve) => {
    const timer = setTimeout(() => answer(id, null), SECONDS * 1000);
    waiting.set(id, { resolve, timer });
    // The frame has an origin of its own that nobody can name; what it hears is no secret.
    contentWindow.postMessage({ id, source }, "*");
  });
}

function answer(id, drawn) {
  const one = waiting.get(id);
  if (!one) return;
  waiting.delete(id);
  clearTimeout(one.timer);
  one.resolve(drawn);
}

function opened() {
  const src = new URL("../libraries/diagram.html", import.meta.url).href;
  const made = element("iframe", { src, sandbox: "allow-scripts", class: "drawing-frame", tabindex: "-1",
    "aria-hidden": "true", title: t("text.diagram") });
  addEventListener("message", (event) => {
    const { data } = event;
    if (event.source !== made.contentWindow || typeof data?.id !== "number") return;
    answer(data.id, typeof data.svg === "string" && data.width > 0 && data.height > 0 ? data : null);
  });
  const loaded = new Promise((resolve) => made.addEventListener("load", () => resolve(made), { once: true }));
  document.body.append(made);
  return loaded;
}
