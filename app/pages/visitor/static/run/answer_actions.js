/** What can be done with a result: copy, like and dislike with words, save, hear, write another one. */

import { iconButton } from "../core/controls.js";
import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { plainResult } from "./run_state.js";
import { speechButton } from "../answers/speech.js";

/** A button that copies a text and says so. */
export function copyButton(text) {
  const button = h("button", { type: "button", class: "button button-small" }, t("common.copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      flash(button, t("common.copied"));
    } catch (wrong) {
      if (!(wrong instanceof DOMException || wrong instanceof TypeError)) throw wrong;
      flash(button, t("run.notCopied"));
    }
  });
  return button;
}

/** Show another text on a button for a moment; screen readers hear it, as the button has the focus. */
function flash(button, text) {
  const before = button.dataset.text ?? button.textContent;
  button.dataset.text = before;
  button.textContent = text;
  button.setAttribute("aria-live", "polite");
  setTimeout(() => {
    button.textContent = before;
    button.removeAttribute("aria-live");
  }, 2000);
}

/** Like and dislike; a dislike may be given words. `rating`: what the visitor said before. */
export function feedbackButtons(desk, messageId, rating = null) {
  let current = rating;
  const words = h("input", {
    class: "field",
    type: "text",
    dir: "auto",
    "aria-label": t("run.why"),
    placeholder: t("run.why"),
    maxlength: 2000,
  });
  const form = h(
    "form",
    { class: "feedback-words", hidden: true },
    words,
    h("button", { type: "submit", class: "button button-small" }, t("run.sendWhy")),
  );
  const said = h("span", { class: "run-said", role: "status" });
  const send = async (value, content = null) => {
    const before = current;
    current = value;
    show();
    try {
      await desk.post(`/messages/${messageId()}/feedbacks`, { rating: value, content });
      said.textContent = value ? t("run.thanks") : "";
    } catch (wrong) {
      current = before;
      said.textContent = wrong.message;
      show();
    }
  };
  const toggle = (value) => {
    send(current === value ? null : value);
    form.hidden = current !== "dislike";
    if (!form.hidden) words.focus();
  };
  const like = iconButton("like", t("run.like"), () => toggle("like"), { class: "small" });
  const dislike = iconButton("dislike", t("run.dislike"), () => toggle("dislike"), { class: "small" });
  const show = () => {
    like.setAttribute("aria-pressed", String(current === "like"));
    dislike.setAttribute("aria-pressed", String(current === "dislike"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    form.hidden = true;
    dislike.focus();
    if (words.value.trim()) send("dislike", words.value.trim());
  });
  show();
  return [like, dislike, form, said];
}

/** A button that saves an answer, and takes it out again. */
export function saveButton(desk, messageId, { saved = false, changed = () => {} } = {}) {
  let kept = saved;
  const button = h("button", { type: "button", class: "button button-small" });
  const show = () => {
    button.textContent = t(kept ? "run.saved" : "common.save");
    button.setAttribute("aria-pressed", String(kept));
  };
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      if (kept) await desk.delete(`/saved-messages/${messageId()}`);
      else await desk.post("/saved-messages", { message_id: messageId() });
      kept = !kept;
      show();
      changed();
    } catch (wrong) {
      flash(button, wrong.message);
    } finally {
      button.disabled = false;
    }
  });
  show();
  return button;
}

/** All actions of a run. `app`: `{desk, mode, parameters}`; `current()` is the run; `more()` writes another one. */
export function runActions(app, current, { more, savedChanged }) {
  const messageId = () => current().messageId;
  const actions = [copyButton(() => plainResult(current()))];
  if (app.mode === "workflow") return actions;
  actions.push(...feedbackButtons(app.desk, messageId), saveButton(app.desk, messageId, { changed: savedChanged }));
  if (app.parameters.text_to_speech?.enabled) actions.push(speechButton(app.desk, messageId));
  if (app.parameters.more_like_this?.enabled && more) {
    actions.push(
      h("button", { type: "button", class: "button button-small", onclick: () => more(messageId()) }, t("run.more")),
    );
  }
  return actions;
}
