/** Numbers, sizes, times and dates in the visitor's language. */

import { currentLanguage } from "./texts.js";

const SIZES = ["byte", "kilobyte", "megabyte", "gigabyte"];
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** A size in bytes: "1.5 MB". */
export function sizeText(bytes) {
  const step = Math.min(SIZES.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const format = {
    style: "unit",
    unit: SIZES[step],
    unitDisplay: step ? "short" : "long",
    maximumFractionDigits: step > 1 ? 1 : 0,
  };
  return new Intl.NumberFormat(currentLanguage(), format).format(bytes / 1024 ** step);
}

/** A short time in seconds: "80 ms", "1.8 sec". */
export function secondsText(seconds) {
  if (seconds >= 60) return spanText(seconds);
  const short = seconds < 1;
  const format = {
    style: "unit",
    unit: short ? "millisecond" : "second",
    unitDisplay: "short",
    maximumFractionDigits: short || seconds >= 10 ? 0 : 1,
  };
  return new Intl.NumberFormat(currentLanguage(), format).format(short ? Math.ceil(seconds * 1000) : seconds);
}

/** A date with its time: "Nov 28, 2026, 6:05 PM". */
export function dateText(date) {
  return new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/** How long `seconds` are, in the two largest units that say something: "2 days, 3 hours". */
export function spanText(seconds) {
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  const units = first < 0 ? UNITS.slice(-1) : UNITS.slice(first, first + 2);
  const parts = [];
  let rest = Math.max(0, Math.floor(seconds));
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count || !parts.length) {
      parts.push(new Intl.NumberFormat(currentLanguage(), { style: "unit", unit, unitDisplay: "long" }).format(count));
    }
  }
  return new Intl.ListFormat(currentLanguage(), { type: "unit", style: "long" }).format(parts);
}
