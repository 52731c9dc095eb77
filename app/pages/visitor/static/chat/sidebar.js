/** The list of conversations: new, search, pinned and others, endless; rename, pin and delete in a menu of each. */

import { button, iconButton, spinner } from "../core/controls.js";
import { asked, confirmed } from "../core/dialogs.js";
import { h, replace } from "../core/dom.js";
import { notify, wordsOf } from "../core/notices.js";
import { menuButton } from "../core/popups.js";
import { t } from "../core/texts.js";

/** Make the list. `onOpen()` is called when a conversation was chosen. Returns `{element}`. */
export function sidebar(chat, { onOpen = () => {} } = {}) {
  const search = h("input", {
    class: "field",
    type: "search",
    placeholder: t("chat.search"),
    "aria-label": t("chat.search"),
    oninput: () => find(),
  });
  const pinned = section(t("chat.pinned"));
  const recent = section(t("chat.recent"));
  const end = h("div", { class: "side-end" });
  const scroll = h("div", { class: "side-scroll" }, pinned.element, recent.element, end);
  const begin = button([t("chat.new")], () => open(""), { kind: "primary", class: "button button-primary side-new" });
  const element = h("nav", { class: "side", "aria-label": t("chat.conversations") }, begin, search, scroll);

  const trying = (work) => work.catch((error) => notify(wordsOf(error), "bad"));
  function open(id) {
    chat.open(id);
    onOpen();
  }
  function find() {
    if (search.value.trim()) trying(chat.list.loadAll());
    show();
  }
  function show() {
    const state = chat.store.get();
    const wanted = search.value.trim().toLocaleLowerCase();
    const fits = ({ name }) => !wanted || name.toLocaleLowerCase().includes(wanted);
    const line = (isPinned) => (conversation) => item(chat, conversation, isPinned, open, trying);
    pinned.show(state.pinned.filter(fits).map(line(true)));
    recent.show(state.recent.filter(fits).map(line(false)));
    replace(end, endParts(state, wanted, element.querySelectorAll(".side-item").length));
  }
  function endParts({ listState }, wanted, count) {
    if (listState === "loading") return [spinner()];
    if (listState === "failed") return [button(t("error.tryAgain"), () => trying(chat.list.load()), { kind: "ghost" })];
    if (count) return [];
    return [h("p", { class: "soft" }, t(wanted ? "chat.noneFound" : "chat.noneYet"))];
  }

  new IntersectionObserver(
    ([entry]) => entry.isIntersecting && trying(chat.list.loadMore()),
    { root: scroll, rootMargin: "200px" },
  ).observe(end);
  addEventListener("online", () => chat.store.get().listState === "failed" && trying(chat.list.load()));
  const parts = (state) => [state.pinned, state.recent, state.listState, state.thread, state.beat];
  let known = [];
  chat.store.watch(
    (state) => {
      const now = parts(state);
      if (now.some((part, index) => !Object.is(part, known[index]))) known = now;
      return known;
    },
    show,
  );
  return { element };
}

function section(title) {
  const list = h("ul", { class: "side-list" });
  const element = h("section", { "aria-label": title, hidden: true }, h("h2", { class: "side-heading" }, title), list);
  return {
    element,
    show(items) {
      // The focus stays where it is while the list is made anew.
      const focused = list.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
      replace(list, items);
      element.hidden = items.length === 0;
      if (focused) list.querySelector(`[data-focus="${focused}"]`)?.focus();
    },
  };
}

function item(chat, conversation, isPinned, open, trying) {
  const { id } = conversation;
  const isShown = chat.thread.id === id;
  const name = conversation.name || t("chat.unnamed");
  const isLive = chat.isAnswering(id);
  const link = h(
    "button",
    {
      type: "button",
      class: "side-open",
      dir: "auto",
      title: name,
      dataset: { focus: id },
      "aria-current": isShown ? "true" : null,
      onclick: () => open(id),
    },
    name,
    isLive && h("span", { class: "live-dot" }, h("span", { class: "visually-hidden" }, t("stream.live"))),
  );
  const more = iconButton("more", t("chat.moreOf", { name }), () => {}, { class: "small", dataset: { focus: `${id}-more` } });
  const items = () => [
    { label: t("chat.rename"), action: () => rename(chat, conversation, trying) },
    { label: t(isPinned ? "chat.unpin" : "chat.pin"), action: () => trying(chat.list.pin(id, !isPinned)) },
    { label: t("common.delete"), danger: true, action: () => remove(chat, conversation, trying) },
  ];
  return h("li", { class: ["side-item", isShown && "current"] }, link, menuButton(more, items));
}

async function rename(chat, conversation, trying) {
  const name = await asked({ title: t("chat.rename"), label: t("chat.name"), value: conversation.name });
  if (name?.trim()) await trying(chat.list.rename(conversation.id, name.trim()));
}

async function remove(chat, conversation, trying) {
  const text = t("chat.deleteText", { name: conversation.name });
  if (!(await confirmed({ title: t("chat.deleteTitle"), text, yes: t("common.delete") }))) return;
  await trying(chat.delete(conversation.id));
}
