/** Dark or light, by the system or by choice; and the app's own colour (`chat_color_theme`) with readable text on it. */

import { workingStorage } from "../client/storage.js";

const CHOICE = "frontdesk-colours";
const WHITE = [255, 255, 255];
const INK = [20, 22, 28];
/** Text on the app's colour must stand out by WCAG's 4.5 : 1. */
const LEAST_CONTRAST = 4.5;

/** The visitor's choice: `dark`, `light` or `system`. */
export function chosenColours() {
  return document.documentElement.dataset.colours ?? "system";
}

/** Show colours by choice, and keep it for later visits. */
export function chooseColours(choice) {
  const storage = workingStorage();
  if (choice === "system") {
    delete document.documentElement.dataset.colours;
    storage.removeItem(CHOICE);
  } else {
    document.documentElement.dataset.colours = choice;
    storage.setItem(CHOICE, choice);
  }
}

/** Take the app's colour for buttons, links and the visitor's words. `inverted`: its text is dark, not white. */
export function showAppColour(text, inverted = false) {
  const colour = parsed(text);
  if (colour === null) return;
  const style = document.documentElement.style;
  const ink = contrast(colour, inverted ? INK : WHITE) >= LEAST_CONTRAST ? (inverted ? INK : WHITE) : better(colour);
  style.setProperty("--accent", css(colour));
  style.setProperty("--on-accent", css(ink));
  style.setProperty("--accent-text-light", css(readableOn(colour, WHITE)));
  style.setProperty("--accent-text-dark", css(readableOn(colour, INK)));
}

/** Return the colour, moved away from a background until text in it can be read there. */
function readableOn(colour, background) {
  const away = background === WHITE ? INK : WHITE;
  for (let share = 0; share <= 1; share += 0.05) {
    const mixed = colour.map((part, index) => Math.round(part + (away[index] - part) * share));
    if (contrast(mixed, background) >= LEAST_CONTRAST) return mixed;
  }
  return away;
}

function better(colour) {
  return contrast(colour, WHITE) >= contrast(colour, INK) ? WHITE : INK;
}

/** Return WCAG's contrast of two colours, 1 to 21. */
export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Return red, green and blue of `#rgb` or `#rrggbb`; null for any other text. */
export function parsed(text) {
  const digits = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(String(text ?? "").trim())?.[1];
  if (!digits) return null;
  const pairs = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  return pairs.map((pair) => Number.parseInt(pair, 16));
}

function css(colour) {
  return `rgb(${colour.join(" ")})`;
}
