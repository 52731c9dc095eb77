/** Open the app of a page: its passport, what it says of itself, the visitor's language. */

import { Frontdesk, LoginNeeded } from "../client/frontdesk.js";
import { handedOver, lastPart } from "./address.js";
import { showAppColour } from "./colours.js";
import { button } from "./controls.js";
import "./embedded.js";
import { showWholePage, wordsOf } from "./notices.js";
import { chooseLanguage, loadTexts, t } from "./texts.js";

const DENIED = "web_app_access_denied";

/**
 * Open the app that the page's address names. Returns `{desk, app, handed}`: the client, the app (`describedApp`), and
 * what the address hands over. Where the app cannot be opened the page says so, and null is returned.
 */
export async function openApp() {
  const handed = await handedOver();
  const desk = new Frontdesk({ code: lastPart(), userId: handed.system.user_id ?? "" });
  try {
    const { accessMode, features } = await desk.enter();
    const app = describedApp(await desk.describe(), accessMode, features);
    await loadTexts(chooseLanguage(app.language));
    document.title = app.title;
    showAppColour(app.colour, app.colourInverted);
    showIcon(app.icon);
    if (app.accessMode !== "public") app.signOut = async () => (await import("../doors/sign_out.js")).signOut(desk);
    desk.logIn = async () => (await import("../doors/session.js")).signInAgain(desk);
    return { desk, app, handed };
  } catch (error) {
    await loadTexts(chooseLanguage(null));
    if (error instanceof LoginNeeded) goToSignIn();
    else showRefusal(error);
    return null;
  }
}

/** Go to the page where people log in, and come back to this one. */
export function goToSignIn() {
  location.assign(`/webapp-signin?redirect_url=${encodeURIComponent(location.pathname + location.search)}`);
}

/**
 * Return an app in the pages' own words, from the bodies of GET /site, /parameters and /meta:
 * `{id, endUserId, title, description, icon, colour, colourInverted, language, copyright, privacyPolicy, disclaimer,
 * showSteps, iconForAnswers, accessMode, features, parameters, toolIcons, brand, signOut}`; `signOut()` is there where
 * visitors sign in.
 */
export function describedApp({ site: body, parameters, meta }, accessMode = "public", features = {}) {
  const { site } = body;
  return {
    id: body.app_id,
    endUserId: body.end_user_id,
    title: site.title,
    description: site.description ?? "",
    icon: describedIcon(site),
    colour: site.chat_color_theme,
    colourInverted: site.chat_color_theme_inverted === true,
    language: site.default_language,
    copyright: site.copyright ?? "",
    privacyPolicy: site.privacy_policy ?? "",
    disclaimer: site.custom_disclaimer ?? "",
    showSteps: site.show_workflow_steps !== false,
    iconForAnswers: site.use_icon_as_answer_icon === true,
    accessMode,
    features,
    parameters,
    toolIcons: meta?.tool_icons ?? {},
    brand: body.custom_config ?? null,
    signOut: null,
  };
}

function describedIcon(site) {
  return {
    kind: site.icon_type,
    text: site.icon || "🤖",
    url: site.icon_url,
    background: site.icon_background || "#FFEAD5",
  };
}

/** Show the app's icon in the browser's tab. */
function showIcon({ kind, url }) {
  if (kind === "image" && url) document.querySelector("link[rel=icon]").href = url;
}

/** Say why the app cannot be opened. */
function showRefusal(error) {
  const again = [button(t("error.tryAgain"), () => location.reload(), { kind: "primary" })];
  if (error.code === DENIED) {
    const leave = [button(t("door.otherAccount"), goToSignIn, { kind: "primary" })];
    showWholePage({ sign: "🔒", title: t("door.denied"), text: t("door.deniedHow"), actions: leave });
  } else if (error.status === 404) {
    showWholePage({ sign: "🔎", title: t("error.noApp"), text: t("error.noAppHow") });
  } else if (error.name === "Unreachable" || error.status >= 500 || error.status === 429) {
    showWholePage({ sign: "📡", title: t("error.unavailable"), text: wordsOf(error), actions: again });
  } else {
    showWholePage({ sign: "🚧", title: t("error.unavailable"), text: error.message, actions: again });
  }
}
