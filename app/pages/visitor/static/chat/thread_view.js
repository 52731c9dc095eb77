/**
 * The messages of the conversation, the newest at the end. While the visitor is at the end the page stays there as the
 * answer grows; who reads further up is left alone, and finds a button that leads back.
 */

import { iconButton, spinner } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { announce } from "../core/notices.js";
import { t } from "../core/texts.js";
import { messageView } from "./message_view.js";
import { suggestions, welcome } from "./welcome.js";

const NEAR_END = 80;
const LONGEST_SAID = 700;

/** Make the view of what is shown of a chat. `handed`: inputs of the address. Returns `{element, ready()}`. */
export function threadView(chat, { handed, onStart }) {
  const older = h("div", { class: "older", hidden: true }, spinner());
  const begin = h("div", {});
  const list = h("div", { class: "messages" });
  const after = h("div", { class: "after" });
  const inner = h("div", { class: "thread-inner" }, older, begin, list, after);
  const scroll = h("section", { class: "thread", tabindex: "0", "aria-label": t("chat.conversation") }, inner);
  const down = iconButton("down", t("chat.toNewest"), () => toEnd(true), { class: "to-newest", hidden: true });
  const element = h("div", { class: "thread-place" }, scroll, down);
  const views = new Map();
  let shown = null;
  let beginning = null;
  let follows = true;

  function toEnd(smooth = false) {
    follows = true;
    scroll.scrollTo({ top: scroll.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }
  function show() {
    const { thread } = chat;
    if (thread !== shown) begins(thread);
    const wasNew = beginning?.isNew && thread.messages.length > 0;
    if (!beginning || wasNew) showBeginning(thread);
    older.hidden = !thread.hasMore;
    const before = scroll.scrollHeight - scroll.scrollTop;
    const wasOlder = sync(thread);
    showAfter(thread);
    if (wasOlder) scroll.scrollTop = scroll.scrollHeight - before;
    else if (follows) toEnd();
  }
  function begins(thread) {
    for (const view of views.values()) view.close();
    views.clear();
    replace(list);
    shown = thread;
    beginning = null;
    follows = true;
  }
  function showBeginning(thread) {
    if (!thread.loaded) return replace(begin, h("div", { class: "loading" }, spinner()));
    beginning = welcome(chat, handed, onStart);
    beginning.isNew = thread.id === "" && thread.messages.length === 0;
    replace(begin, !thread.hasMore && beginning.element);
    return undefined;
  }
  /** Bring the messages on the page in line with the path; returns whether older ones were put before others. */
  function sync(thread) {
    const path = thread.path();
    const first = list.firstElementChild;
    const keys = new Set(path.map(({ key }) => key));
    for (const [key, view] of views) {
      if (keys.has(key)) continue;
      view.close();
      view.element.remove();
      views.delete(key);
    }
    path.forEach((message, index) => {
      const view = views.get(message.key) ?? made(message);
      if (list.children[index] !== view.element) list.insertBefore(view.element, list.children[index] ?? null);
      view.update();
    });
    return Boolean(first) && first.isConnected && list.firstElementChild !== first;
  }
  function made(message) {
    const view = messageView(chat, message);
    views.set(message.key, view);
    if (message.answer.isOpen) follow(message);
    return view;
  }
  /** Say once that an answer has come, and what it says: word by word would be chatter. */
  function follow(message) {
    announce(t("chat.thinking"));
    let connection = null;
    let waits = false;
    const unwatch = message.answer.watch((answer) => {
      if (answer.connection === "reconnecting" && connection !== "reconnecting") announce(t("stream.reconnecting"));
      if (answer.connection === "live" && connection === "reconnecting") announce(t("stream.resumed"));
      connection = answer.connection;
      if (answer.state === "paused" && !waits) announce(t("chat.runWaits"));
      waits = answer.state === "paused";
      if (answer.isOpen) return;
      unwatch();
      const text = answer.text.slice(0, LONGEST_SAID);
      if (answer.state === "done") announce(t("chat.answered", { text }));
      else if (answer.state === "stopped") announce(t("chat.stopped"));
    });
  }
  function showAfter(thread) {
    const questions = thread.busy() ? [] : thread.suggested;
    replace(after, questions.length > 0 && suggestions(questions, (question) => chat.ask(question)));
  }

  scroll.addEventListener("scroll", () => {
    follows = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR_END;
    down.hidden = follows;
  });
  new ResizeObserver(() => follows && toEnd()).observe(inner);
  new IntersectionObserver(([entry]) => entry.isIntersecting && chat.loadOlder(), {
    root: scroll,
    rootMargin: "300px",
  }).observe(older);
  chat.store.watch((state) => state.thread, show);
  chat.store.watch((state) => state.beat, show);
  return { element, ready: () => beginning?.ready() ?? true, toEnd };
}
