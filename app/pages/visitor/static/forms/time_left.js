/** The time that is left until a form expires, live to the eye and quiet to screen readers. */

import { h } from "../core/dom.js";
import { dateText, spanText } from "../core/formats.js";
import { t } from "../core/texts.js";

/**
 * Show how long a form is still open. `expiration`: Unix seconds. `onend` is called once when the time is up.
 * Returns `{element, stop()}`.
 */
export function timeLeft(expiration, { onend = () => {}, now = Date.now } = {}) {
  const date = new Date(expiration * 1000);
  const shown = h("span", {});
  const element = h(
    "p",
    // A timer is no live region: a screen reader reads it where the visitor goes to it.
    { class: "time-left", role: "timer", "aria-live": "off" },
    shown,
    " ",
    h("time", { datetime: date.toISOString() }, t("form.until", { date: dateText(date) })),
  );
  let timer = 0;
  const show = () => {
    const seconds = expiration - now() / 1000;
    if (seconds <= 0) {
      shown.textContent = t("form.timeIsUp");
      element.classList.add("time-left-up");
      return onend();
    }
    shown.textContent = t("form.left", { time: spanText(seconds) });
    element.classList.toggle("time-left-short", seconds < 600);
    const step = seconds > 7200 ? 60 : 1;
    timer = setTimeout(show, Math.min(step, seconds) * 1000);
  };
  show();
  return { element, stop: () => clearTimeout(timer) };
}
