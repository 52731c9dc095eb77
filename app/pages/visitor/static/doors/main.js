/** The doors: sign in by password or mailed code, and set a forgotten password anew. */

import { Frontdesk } from "../client/frontdesk.js";
import { button } from "../core/controls.js";
import { h } from "../core/dom.js";
import { showPage } from "../core/frame.js";
import { showWholePage, wordsOf } from "../core/notices.js";
import { settingsMenu } from "../core/settings_menu.js";
import { chooseLanguage, loadTexts, t } from "../core/texts.js";
import { resetForm } from "./reset_form.js";
import { codeOf, doorAddress, returnPath } from "./return_address.js";
import { signInForm } from "./sign_in_form.js";

const SIGN_IN = "/webapp-signin";
const RESET = "/webapp-reset-password";

const back = returnPath();
const calls = new Frontdesk({ code: codeOf(back) });

async function show() {
  await loadTexts(chooseLanguage(null));
  const features = await calls.send("GET", "/system-features", { renew: false });
  const resetting = location.pathname.startsWith(RESET);
  const title = t(resetting ? "door.resetTitle" : "door.signIn");
  const brand = features.branding?.enabled ? features.branding.application_title : "";
  document.title = brand ? `${title} · ${brand}` : title;
  if (!features.webapp_auth?.enabled)
    return showWholePage({ sign: "🔓", title: t("door.notNeeded"), text: t("door.off"), actions: backButton() });
  const form = resetting
    ? resetForm(calls, { signInAddress: doorAddress(SIGN_IN, back) })
    : signInForm(calls, features, { ondone: goBack, resetAddress: doorAddress(RESET, back) });
  return showPage(
    h("header", { class: "bar" }, h("span", { class: "bar-title" }, brand), settingsMenu()),
    h("main", { class: "door-page" }, h("div", { class: "door-room" }, h("h1", {}, title), form)),
  );
}

/** Go where the visitor came from; without such a place say that it is done. */
function goBack() {
  if (back) return location.replace(back);
  return showWholePage({ sign: "✅", title: t("door.signedIn"), text: t("door.signedInHow") });
}

function backButton() {
  return back ? [button(t("door.toApp"), () => location.replace(back), { kind: "primary" })] : [];
}

try {
  await show();
} catch (wrong) {
  const again = button(t("error.tryAgain"), () => location.reload(), { kind: "primary" });
  showWholePage({ sign: "📡", title: t("door.unavailable"), text: wordsOf(wrong), actions: [again] });
}
