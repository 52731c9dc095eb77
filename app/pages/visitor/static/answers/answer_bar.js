/** What can be done with an answer: copy, hear, ask again, like and dislike with words, other branches. */

import { iconButton } from "../core/controls.js";
import { asked } from "../core/dialogs.js";
import { h } from "../core/dom.js";
import { announce, notify, wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";

/**
 * Make the bar below an answer. `what`: `{message, desk, speech, again(), branches, choose(message)}`; `speech`: what
 * makes the button to hear it, or null; `branches`: the messages that share the answer's place.
 */
export function answerBar({ message, desk, speech, again }) {
  const copy = iconButton("copy", t("common.copy"), () => copyText(message.answer.text), { class: "small" });
  const repeat = again && iconButton("again", t("chat.again"), again, { class: "small" });
  return h(
    "div",
    { class: "answer-bar", role: "group", "aria-label": t("chat.answerActions") },
    copy,
    speech,
    repeat,
    feedbackButtons(message, desk),
  );
}

/** Put a text on the clipboard, and say so. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    notify(t("common.copied"), "good");
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    notify(t("chat.notCopied"), "bad");
  }
}

function feedbackButtons(message, desk) {
  const make = (rating) =>
    iconButton(rating, t(`chat.${rating}`), () => choose(rating), { class: "small", "aria-pressed": "false" });
  const like = make("like");
  const dislike = make("dislike");
  const show = () => {
    like.setAttribute("aria-pressed", String(message.rating === "like"));
    dislike.setAttribute("aria-pressed", String(message.rating === "dislike"));
  };
  async function send(rating, content) {
    const before = message.rating;
    message.rating = rating;
    show();
    try {
      await desk.post(`/messages/${message.id}/feedbacks`, { rating, content });
      announce(rating ? t("chat.thanks") : t("chat.takenBack"));
    } catch (error) {
      message.rating = before;
      show();
      notify(wordsOf(error), "bad");
    }
  }
  async function choose(rating) {
    if (message.rating === rating) return send(null, null);
    await send(rating, null);
    if (rating !== "dislike" || message.rating !== "dislike") return undefined;
    const words = await asked({
      title: t("chat.whyTitle"),
      label: t("chat.why"),
      yes: t("chat.sendWhy"),
      lines: 3,
      most: 2_000,
    });
    return words?.trim() ? send("dislike", words.trim()) : undefined;
  }
  show();
  return [like, dislike];
}

/** Return the control that moves between the branches at a place: "2 / 3". Null where there is one alone. */
export function branchSwitch(message, branches, choose) {
  if (branches.length < 2) return null;
  const at = branches.indexOf(message);
  const step = (by, name, label) =>
    iconButton(name, label, () => choose(branches[at + by]), { class: "small", disabled: !branches[at + by] });
  return h(
    "span",
    { class: "branches", role: "group", "aria-label": t("chat.branches") },
    step(-1, "back", t("chat.branchBefore")),
    h("span", { class: "soft" }, t("chat.branchOf", { number: at + 1, count: branches.length })),
    step(1, "forward", t("chat.branchAfter")),
  );
}
