/** What the page says of itself: whole pages of words, short notices, and words for readers of the screen. */

import { append, h, replace } from "./dom.js";
import { t } from "./texts.js";
import { iconButton } from "./controls.js";

const NOTICE_MS = 7_000;

/** Show words in the place of the page: `title`, `text`, and buttons. */
export function showWholePage({ title, text = "", actions = [], sign = "" }) {
  document.title = title;
  const page = document.getElementById("page");
  page.removeAttribute("aria-busy");
  replace(
    page,
    h(
      "main",
      { class: "whole-page" },
      sign && h("p", { class: "whole-page-sign", "aria-hidden": "true" }, sign),
      h("h1", { tabindex: "-1" }, title),
      text && h("p", {}, text),
      actions.length > 0 && h("div", { class: "actions" }, actions),
    ),
  );
  page.querySelector("h1").focus();
}

/** Show a notice for some seconds. `kind`: `info`, `good` or `bad`. Returns what takes it away. */
export function notify(text, kind = "info") {
  const close = () => notice.remove();
  const notice = h("div", { class: ["toast", `toast-${kind}`] }, h("span", {}, text));
  append(notice, iconButton("close", t("common.close"), close));
  const place = region("toasts", kind === "bad" ? "assertive" : "polite");
  append(place, notice);
  if (kind !== "bad") setTimeout(close, NOTICE_MS);
  return close;
}

/** Say something to readers of the screen alone. What is said in quick succession is said once, the last. */
export function announce(text) {
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => {
    replace(region("visually-hidden announcements", "polite"), text);
  }, 250);
}

function region(className, manner) {
  const selector = `.${className.split(" ").pop()}[aria-live="${manner}"]`;
  const found = document.querySelector(selector);
  if (found) return found;
  const made = h("div", { class: className, "aria-live": manner });
  document.body.append(made);
  return made;
}

/** Return the words for an error: the server's own where it gave a reason, ours where it could not be reached. */
export function wordsOf(error) {
  switch (error?.name) {
    case "Unreachable":
      return t("error.unreachable");
    case "LoginNeeded":
      return t("error.sessionOver");
    case "Refused":
      return error.status === 429 ? t("error.tooMany") : error.message || t("error.unknown");
    case "AnswerFailed":
      return error.message || t("error.unknown");
    default:
      return t("error.unknown");
  }
}
