/** The page of one form, `/form/TOKEN`, for whoever received its address. */

import { Calls } from "../client/calls.js";
import { lastPart } from "../core/address.js";
import { showAppColour } from "../core/colours.js";
import { button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { pageHead, showPage, smallPrint } from "../core/frame.js";
import { showWholePage, wordsOf } from "../core/notices.js";
import { describedApp } from "../core/opening.js";
import { chooseLanguage, loadTexts, t } from "../core/texts.js";
import { ENDS, humanForm } from "./human_form.js";
import { formCalls } from "./uploads.js";

const SIGNS = { answered: "✅", expired: "⌛", unknown: "🔎", notForYou: "🔒" };

const token = lastPart();
const form = formCalls(new Calls({ code: "" }), token);

async function show() {
  let body;
  try {
    body = await form.read();
  } catch (wrong) {
    await loadTexts(chooseLanguage(null));
    return showRefusal(wrong);
  }
  const app = describedApp({ site: body.site, parameters: {}, meta: {} });
  await loadTexts(chooseLanguage(app.language));
  document.title = app.title;
  showAppColour(app.colour, app.colourInverted);
  const made = humanForm({ ...body, form_token: token }, { submit: form.submit, upload: form.upload });
  made.onexpire = askAgain;
  return showPage(
    pageHead(app),
    h("main", { class: "form-page" }, h("div", { class: "form-room" }, made.element)),
    smallPrint(app),
  );
}

/** The time is up by this device's clock: the server's clock decides. */
async function askAgain() {
  try {
    await form.read();
  } catch (wrong) {
    if (ENDS[wrong.code]) showRefusal(wrong);
  }
}

function showRefusal(wrong) {
  const end = ENDS[wrong.code];
  if (end) return showWholePage({ sign: SIGNS[end], title: t(`form.${end}`), text: t(`form.${end}How`) });
  const actions = [button(t("error.tryAgain"), () => location.reload(), { kind: "primary" })];
  return showWholePage({ sign: "📡", title: t("form.unavailable"), text: wordsOf(wrong), actions });
}

await show();
