/** The icons of buttons: strokes on a grid of 24, in the colour of the text around them. */

import { svg } from "./dom.js";

const STROKES = {
  add: ["M12 5v14", "M5 12h14"],
  again: ["M20 11a8 8 0 1 0-2.3 6.3", "M20 4v7h-7"],
  attach: ["M20 11.5 12 19.5a5 5 0 0 1-7-7l8.5-8.5a3.3 3.3 0 0 1 4.7 4.7L9.7 17.2a1.6 1.6 0 0 1-2.3-2.3L15 7.3"],
  back: ["M15 5 8 12l7 7"],
  bin: ["M4 7h16", "M9 7V4h6v3", "M6 7l1 13h10l1-13"],
  check: ["M5 12.5 10 17.5 19 7"],
  clock: ["M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18", "M12 7.5V12l3 2"],
  close: ["M6 6l12 12", "M18 6 6 18"],
  colours: ["M12 4a8 8 0 1 0 0 16z", "M12 4a8 8 0 0 1 0 16"],
  copy: ["M9 9h11v11H9z", "M15 9V4H4v11h5"],
  dislike: ["M7 4h10l2.5 7.5c.4 1.3-.4 2.5-1.8 2.5H14l1 5-1.5 1L8 14H4V4z"],
  down: ["M5 9l7 7 7-7"],
  edit: ["M4 20l1-4L16 5l3 3L8 19z"],
  file: ["M6 3h8l5 5v13H6z", "M14 3v5h5"],
  forward: ["M9 5l7 7-7 7"],
  like: ["M17 20H7l-3-8.5C3.6 10 4.4 9 5.8 9H10L9 5l1.5-1.5L16 9h4v11z"],
  link: ["M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-6-6l-1 1", "M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 6 6l1-1"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  microphone: ["M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3", "M5 11a7 7 0 0 0 14 0", "M12 18v3"],
  more: ["M12 6h.01", "M12 12h.01", "M12 18h.01"],
  pin: ["M9 4h6l-1 6 3 3v1H7v-1l3-3z", "M12 14v6"],
  search: ["M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14", "M16 16l5 5"],
  send: ["M12 20V5", "M5.5 11.5 12 5l6.5 6.5"],
  settings: ["M4 7h9", "M19 7h1", "M16 4.5v5", "M4 17h1", "M11 17h9", "M8 14.5v5"],
  sound: ["M4 9v6h4l5 4V5L8 9z", "M16.5 8.5a5 5 0 0 1 0 7", "M19 6a9 9 0 0 1 0 12"],
  star: ["M12 4l2.4 5.2 5.6.6-4.2 3.8 1.2 5.6L12 16.3 7 19.2l1.2-5.6L4 9.8l5.6-.6z"],
  stop: ["M7 7h10v10H7z"],
  table: ["M4 5h16v14H4z", "M4 10h16", "M10 5v14"],
  up: ["M5 15l7-7 7 7"],
  warning: ["M12 4 21 20H3z", "M12 10v4", "M12 17h.01"],
};

/** The names that `icon` takes. */
export const ICONS = Object.keys(STROKES);

/** Return an icon, which readers of the screen pass over: its button has a name. */
export function icon(name) {
  const paths = STROKES[name].map((d) => svg("path", { d }));
  return svg("svg", { class: ["icon", `icon-${name}`], viewBox: "0 0 24 24", "aria-hidden": "true" }, paths);
}
