/** A small menu at a button: arrow keys move in it, Escape and a click elsewhere close it. */

import { h, replace } from "./dom.js";

/**
 * Make a button open a menu. `items()` returns what it holds: `{label, icon?, action, checked?, danger?}`, or
 * `{heading}`. An item with `checked` is one of a choice.
 */
export function menuButton(opener, items) {
  const menu = h("div", { class: "menu", role: "menu", hidden: true });
  const wrapper = h("span", { class: "menu-place" }, opener, menu);
  opener.setAttribute("aria-haspopup", "menu");
  opener.setAttribute("aria-expanded", "false");
  const entries = () => [...menu.querySelectorAll("[role^=menuitem]")];
  const outside = (event) => wrapper.contains(event.target) || close();
  function open() {
    replace(menu, items().map((item) => entry(item, close)));
    menu.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", outside, true);
    place(menu, opener);
    entries()[0]?.focus();
  }
  function close(refocus = false) {
    if (menu.hidden) return;
    menu.hidden = true;
    opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (refocus) opener.focus();
  }
  opener.addEventListener("click", () => (menu.hidden ? open() : close()));
  menu.addEventListener("keydown", (event) => {
    const all = entries();
    const at = all.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) all.at((at + step + all.length) % all.length).focus();
    else if (event.key === "Home") all[0].focus();
    else if (event.key === "End") all.at(-1).focus();
    else if (event.key === "Escape") close(true);
    else if (event.key === "Tab") return close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return wrapper;
}

function entry({ heading, label, icon, action, checked, danger }, close) {
  if (heading) return h("div", { class: "menu-heading", role: "presentation" }, heading);
  const chosen = checked === undefined ? {} : { "aria-checked": String(checked) };
  const onclick = () => {
    close(true);
    action();
  };
  const role = checked === undefined ? "menuitem" : "menuitemradio";
  const given = { type: "button", role, tabindex: "-1", class: ["menu-item", danger && "danger"], onclick, ...chosen };
  return h("button", given, icon, h("span", {}, label));
}

/** Keep a menu within the window. */
function place(menu, opener) {
  menu.classList.remove("menu-up", "menu-end");
  const box = menu.getBoundingClientRect();
  if (box.bottom > innerHeight && opener.getBoundingClientRect().top > box.height) menu.classList.add("menu-up");
  if (box.right > innerWidth || box.left < 0) menu.classList.add("menu-end");
}
