/**
 * The page's words, in the visitor's language.
 *
 * One module a language, `texts/de.js`, whose default export maps a key to a text. `{name}` in a text stands for a
 * value; a text that goes by a number is an object of the forms that Intl.PluralRules names.
 */

import { workingStorage } from "../client/storage.js";

/** The languages that there are, by their names in themselves. The first one is written for those without their own. */
export const LANGUAGES = {
  en: "English",
  de: "Deutsch",
  fr: "Français",
  es: "Español",
  pt: "Português",
  ja: "日本語",
  ko: "한국어",
  "zh-Hans": "简体中文",
  "zh-Hant": "繁體中文",
  ar: "العربية",
};
const CHOICE = "frontdesk-language";
const DEFAULT = "en";

let texts = {};
let plurals = new Intl.PluralRules(DEFAULT);
let current = DEFAULT;

/** Return the language of ours for a tag such as `zh-TW` or `pt-BR`; null where there is none. */
export function languageOf(tag) {
  if (!tag) return null;
  const [language, ...rest] = String(tag).replaceAll("_", "-").split("-");
  if (language.toLowerCase() !== "zh") return language.toLowerCase() in LANGUAGES ? language.toLowerCase() : null;
  const parts = rest.map((part) => part.toLowerCase());
  return parts.includes("hant") || ["tw", "hk", "mo"].some((place) => parts.includes(place)) ? "zh-Hant" : "zh-Hans";
}

/**
 * Return the language to use: the visitor's choice; else the app's, where its author chose one (English is what an app
 * has without a choice); else the first of the browser's that there is; else English.
 */
export function chooseLanguage(appLanguage, browserLanguages = navigator.languages ?? []) {
  const chosen = languageOf(workingStorage().getItem(CHOICE));
  if (chosen) return chosen;
  const ofApp = languageOf(appLanguage);
  if (ofApp && ofApp !== DEFAULT) return ofApp;
  for (const tag of browserLanguages) {
    const found = languageOf(tag);
    if (found) return found;
  }
  return DEFAULT;
}

/** Keep the visitor's choice of a language for later visits. */
export function rememberLanguage(language) {
  workingStorage().setItem(CHOICE, language);
}

/** Load the texts of a language, and say it to the document. */
export async function loadTexts(language) {
  const module = await import(`../texts/${language}.js`);
  texts = module.default;
  plurals = new Intl.PluralRules(language);
  current = language;
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
}

/** The language of the texts that are loaded. */
export function currentLanguage() {
  return current;
}

/** Return a text, with values in the place of `{name}`; `count` chooses the plural form. */
export function t(key, values = {}) {
  const found = texts[key];
  const text = typeof found === "object" ? (found[plurals.select(Number(values.count))] ?? found.other) : found;
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? shown(values[name]) : whole));
}

function shown(value) {
  return typeof value === "number" ? value.toLocaleString(current) : String(value);
}
