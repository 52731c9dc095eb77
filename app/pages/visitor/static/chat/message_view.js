/** One message on the page: what was asked, with its files, and the answer. */

import { answerBar, branchSwitch, copyText } from "../answers/answer_bar.js";
import { answerView } from "../answers/answer_view.js";
import { speechButton } from "../answers/speech.js";
import { iconButton } from "../core/controls.js";
import { asked } from "../core/dialogs.js";
import { h, replace } from "../core/dom.js";
import { t } from "../core/texts.js";
import { humanForm } from "../forms/human_form.js";
import { formUploads } from "../forms/uploads.js";
import { fileList } from "../run/file_list.js";

/** Make the view of a message: `{element, update(), close()}`. */
export function messageView(chat, message) {
  const { desk, app } = chat;
  const branches = h("span", {});
  const again = () => chat.again(message);
  const speech = app.parameters.text_to_speech?.enabled ? speechButton(desk, () => message.id) : null;
  const bar = answerBar({ message, desk, speech, again });
  const answer = answerView(message.answer, {
    app,
    again,
    form: (data) => formOf(chat, data),
    more: [bar, branches],
  });
  const edit = iconButton("edit", t("chat.edit"), () => rewrite(chat, message), { class: "small" });
  const copy = iconButton("copy", t("chat.copyQuestion"), () => copyText(message.query), { class: "small" });
  const question = h(
    "div",
    { class: "question" },
    message.files.length > 0 && fileList(message.files),
    h("div", { class: "question-text", dir: "auto" }, message.query),
    h("div", { class: "question-bar" }, copy, edit),
  );
  const element = h(
    "article",
    { class: "message", dataset: { key: message.key } },
    h("h2", { class: "visually-hidden" }, t("chat.youAsked")),
    question,
    h("h2", { class: "visually-hidden" }, t("chat.answerOf", { app: app.title })),
    answer.element,
  );
  let shown = "";
  return {
    element,
    update() {
      const all = chat.thread.branches(message);
      const seen = `${all.indexOf(message)} ${all.length}`;
      if (seen !== shown) replace(branches, branchSwitch(message, all, (other) => chat.choose(other)));
      shown = seen;
      const isBusy = Boolean(chat.thread.busy());
      edit.disabled = isBusy;
      for (const control of bar.querySelectorAll(".icon-again")) control.parentElement.disabled = isBusy;
      element.setAttribute("aria-busy", String(message.answer.isOpen && message.answer.state !== "paused"));
    },
    close: answer.close,
  };
}

/** Make the form of a run that waits; what follows its answer comes by the answer's own stream. */
function formOf(chat, data) {
  const path = `/form/human_input/${encodeURIComponent(data.form_token)}`;
  return humanForm(data, {
    submit: (body) => chat.desk.post(path, body),
    upload: formUploads(chat.desk, data.form_token),
    limits: chat.app.parameters.system_parameters,
  });
}

async function rewrite(chat, message) {
  const query = await asked({
    title: t("chat.edit"),
    label: t("chat.message"),
    value: message.query,
    yes: t("chat.send"),
    lines: 5,
    most: 100_000,
  });
  if (query?.trim()) chat.again(message, query.trim());
}
