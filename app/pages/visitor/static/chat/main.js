/** The page of a chat app, whole or bare (`/chatbot/CODE`, for frames). */

import { silence } from "../answers/speech.js";
import { iconButton } from "../core/controls.js";
import { h } from "../core/dom.js";
import { pageHead, showPage } from "../core/frame.js";
import { openApp } from "../core/opening.js";
import { notify, wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";
import { Chat } from "./chat.js";
import { composer } from "./composer.js";
import { takeUpSent } from "./history.js";
import { sidebar } from "./sidebar.js";
import { threadView } from "./thread_view.js";

const isBare = document.body.dataset.page === "chatbot";
const opened = await openApp();
if (opened) await start(opened);

async function start({ desk, app, handed }) {
  const chat = new Chat(desk, app);
  const view = threadView(chat, { handed: handed.inputs, onStart: () => writing.focus() });
  const writing = composer(chat, { ready: view.ready });
  const side = isBare ? null : sidePanel(chat);
  const begin = () => {
    silence();
    chat.open("");
    writing.focus();
  };
  const head = pageHead(app, {
    start: side ? [side.opener] : [],
    end: [iconButton("add", t("chat.new"), begin)],
  });
  const bottom = h("div", { class: "chat-bottom" }, writing.element, h("p", { class: "hint" }, t("chat.mistakes")));
  const middle = h("div", { class: "chat-middle" }, head, h("main", { class: "chat-main" }, view.element, bottom));
  showPage(h("div", { class: ["chat", isBare && "bare"] }, side?.element, middle));
  const listed = chat.list.load().catch((error) => notify(wordsOf(error), "bad"));
  const sent = await takeUpSent(desk, chat.memory);
  const wanted = handed.system.conversation_id || sent || chat.memory.conversation;
  if (wanted) await listed;
  await chat.open(wanted);
  if (matchMedia("(pointer: fine)").matches) writing.focus();
}

/** The list of conversations: beside the chat on wide screens, above it on narrow ones. */
function sidePanel(chat) {
  const close = () => {
    element.classList.remove("shown");
    opener.setAttribute("aria-expanded", "false");
  };
  const list = sidebar(chat, { onOpen: close });
  const veil = h("div", { class: "side-veil", onclick: close });
  const element = h("div", { class: "side-place" }, veil, list.element);
  const opener = iconButton("menu", t("chat.conversations"), () => toggle(), { "aria-expanded": "false" });
  function toggle() {
    if (matchMedia("(min-width: 56rem)").matches) {
      chat.memory.sideHidden = !chat.memory.sideHidden;
      element.classList.toggle("hidden-wide", chat.memory.sideHidden);
      return;
    }
    const isShown = element.classList.toggle("shown");
    opener.setAttribute("aria-expanded", String(isShown));
    if (isShown) list.element.querySelector("button").focus();
  }
  element.classList.toggle("hidden-wide", chat.memory.sideHidden);
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !element.classList.contains("shown")) return;
    close();
    opener.focus();
  });
  return { element, opener };
}
