/** Where the visitor writes: text, files, voice; send, or stop; and what waits to be asked. */

import { button, iconButton } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { announce } from "../core/notices.js";
import { t } from "../core/texts.js";
import { Attachments } from "./attachments.js";
import { voiceButton } from "./voice_in.js";

const LONGEST = 100_000;

/** Make the composer of a chat. `ready()`: whether the app's inputs are filled in. Returns `{element, focus()}`. */
export function composer(chat, { ready }) {
  const { parameters } = chat.app;
  const attachments = new Attachments(chat.desk, parameters);
  const field = h("textarea", {
    class: "composer-field",
    rows: 1,
    dir: "auto",
    maxlength: LONGEST,
    placeholder: t("chat.write", { app: chat.app.title }),
    "aria-label": t("chat.message"),
    enterkeyhint: "send",
  });
  const send = iconButton("send", t("chat.send"), submit, { class: "composer-send" });
  const stop = iconButton("stop", t("common.stop"), () => chat.stop(), { class: "composer-stop" });
  const queue = h("div", { class: "queue", hidden: true });
  const voice = parameters.speech_to_text?.enabled ? voiceButton(chat.desk, addWords) : null;
  const element = h(
    "form",
    { class: "composer", onsubmit: (event) => event.preventDefault() },
    queue,
    h(
      "div",
      { class: "composer-box" },
      attachments.list,
      h("div", { class: "composer-line" }, attachments.button, field, voice, stop, send),
    ),
  );

  function submit() {
    const text = field.value.trim();
    if (!text || attachments.unready || !ready()) return announceWhy(text);
    const files = attachments.handOver();
    field.value = "";
    changed();
    chat.ask(text, files);
    field.focus();
    return undefined;
  }
  function announceWhy(text) {
    if (text && attachments.unready) announce(t("files.wait"));
  }
  function addWords(words) {
    field.value = [field.value.trim(), words].filter(Boolean).join(" ");
    changed();
    field.focus();
  }
  function changed() {
    chat.memory.keepDraft(chat.thread.id, field.value);
    fit(field);
    send.disabled = !field.value.trim();
  }
  function showQueue() {
    const { thread } = chat;
    queue.hidden = thread.queue.length === 0;
    replace(queue, queueParts(chat, addWords));
    const isBusy = Boolean(thread.busy());
    stop.hidden = !isBusy;
    stop.disabled = Boolean(thread.busy()?.answer.stopping);
    send.setAttribute("aria-label", t(isBusy ? "chat.sendLater" : "chat.send"));
    send.title = send.getAttribute("aria-label");
  }

  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    // A phone's keyboard has no Shift+Enter: there Enter begins a line.
    if (matchMedia("(pointer: coarse) and (hover: none)").matches) return;
    event.preventDefault();
    submit();
  });
  field.addEventListener("paste", (event) => {
    if (attachments.take([...(event.clipboardData?.files ?? [])])) event.preventDefault();
  });
  dropInto(document.body, element, attachments);
  let shown = null;
  chat.store.watch(
    (state) => state.thread,
    (thread) => {
      // A new conversation that the server has named is the same one.
      if (thread === shown) return;
      shown = thread;
      field.value = chat.memory.draft(thread.id);
      changed();
    },
  );
  chat.store.watch((state) => state.beat, showQueue);
  return { element, focus: () => field.focus() };
}

/** What waits to be asked: each can be taken back into the field, or deleted. */
function queueParts(chat, takeBack) {
  const { thread } = chat;
  if (!thread.queue.length) return [];
  const items = thread.queue.map(({ query }, index) =>
    h(
      "li",
      { class: "queue-item" },
      h("span", { class: "queue-text", dir: "auto" }, query),
      iconButton("edit", t("chat.queueEdit"), () => takeBack(chat.takeBack(index).query), { class: "small" }),
      iconButton("close", t("common.delete"), () => chat.takeBack(index), { class: "small" }),
    ),
  );
  const goOn = thread.held && !thread.busy() && button(t("chat.queueGoOn"), () => chat.askNext(), { kind: "ghost" });
  return [
    h("div", { class: "queue-head soft" }, t(thread.held ? "chat.queueHeld" : "chat.queueWaits"), goOn),
    h("ul", { "aria-label": t("chat.queueWaits") }, items),
  ];
}

/** Let the field grow with its text. */
function fit(field) {
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight, innerHeight * 0.4)}px`;
}

/** Files may be dropped anywhere on the page. */
function dropInto(page, element, attachments) {
  if (!attachments.button) return;
  const over = (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    element.classList.add("dropping");
  };
  page.addEventListener("dragenter", over);
  page.addEventListener("dragover", over);
  page.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) element.classList.remove("dropping");
  });
  page.addEventListener("drop", (event) => {
    element.classList.remove("dropping");
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    attachments.take([...event.dataTransfer.files]);
  });
}
