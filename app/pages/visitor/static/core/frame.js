/** The parts that pages of apps share: the head with the app's icon and name, and the small print below. */

import { appIcon } from "./controls.js";
import { h, outerLink, replace } from "./dom.js";
import { settingsMenu } from "./settings_menu.js";
import { t } from "./texts.js";

/** Return a page's head. `start`, `end`: buttons at its ends; `menu()`: items above those of the settings. */
export function pageHead(app, { start = [], end = [], menu = () => [] } = {}) {
  const name = h("h1", { class: "bar-title" }, app.title);
  const leave = app.signOut ? [{ label: t("door.signOut"), action: app.signOut }] : [];
  return h("header", { class: "bar" }, start, appIcon(app.icon, "bar-icon"), name, end, settingsMenu(() => [...menu(), ...leave]));
}

/** Return the small print of an app: copyright, privacy policy, disclaimer; null where it has none. */
export function smallPrint(app) {
  const parts = [
    app.copyright && h("span", {}, `© ${new Date().getFullYear()} ${app.copyright}`),
    app.privacyPolicy && outerLink(app.privacyPolicy, t("page.privacy")),
    app.disclaimer && h("span", {}, app.disclaimer),
  ].filter(Boolean);
  return parts.length ? h("footer", { class: "small-print" }, parts) : null;
}

/** Put content in the place of the page's waiting room. */
export function showPage(...content) {
  const page = document.getElementById("page");
  page.removeAttribute("aria-busy");
  return replace(page, content);
}
