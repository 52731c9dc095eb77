/** The menu by which a visitor chooses colours and language. */

import { chooseColours, chosenColours } from "./colours.js";
import { iconButton } from "./controls.js";
import { menuButton } from "./popups.js";
import { LANGUAGES, currentLanguage, rememberLanguage, t } from "./texts.js";

/** Return the menu's button; `more()`: items that stand above the usual ones. */
export function settingsMenu(more = () => []) {
  return menuButton(iconButton("settings", t("common.settings"), () => {}), () => [
    ...more(),
    { heading: t("settings.colours") },
    ...["system", "light", "dark"].map((choice) => ({
      label: t(`settings.colours.${choice}`),
      checked: chosenColours() === choice,
      action: () => chooseColours(choice),
    })),
    { heading: t("settings.language") },
    ...Object.entries(LANGUAGES).map(([language, name]) => ({
      label: name,
      checked: currentLanguage() === language,
      action: () => {
        rememberLanguage(language);
        location.reload();
      },
    })),
  ]);
}
