/** Build DOM nodes. Texts go in as text nodes only: no function here takes markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an element. Attributes: `on…` with a function listens, `class` takes a string or a list, `style` an object of
 * CSS properties, `dataset` an object, true an empty attribute; false, null and undefined leave it out.
 * Children: nodes, texts, numbers, and lists of them; false, null and undefined are left out.
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** Return an SVG element; the same arguments as `h`. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Put children in the place of all that a node holds. */
export function replace(parent, ...children) {
  parent.replaceChildren(...flat(children));
  return parent;
}

/** Add children at a node's end. */
export function append(parent, ...children) {
  parent.append(...flat(children));
  return parent;
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) setAttribute(element, name, value);
  element.append(...flat(children));
  return element;
}

function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name.startsWith("on")) {
    if (typeof value !== "function") throw new TypeError(`${name} takes a function`);
    element.addEventListener(name.slice(2).toLowerCase(), value);
  } else if (name === "class") {
    element.setAttribute("class", [value].flat().filter(Boolean).join(" "));
  } else if (name === "style") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (name === "dataset") {
    Object.assign(element.dataset, value);
  } else if (name === "value" || name === "checked" || name === "disabled" || name === "indeterminate") {
    element[name] = value;
  } else if (name === "srcdoc" || name === "innerHTML") {
    throw new TypeError(`${name} takes markup`);
  } else {
    element.setAttribute(name, value === true ? "" : String(value));
  }
}

function flat(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== false && child !== null && child !== undefined)
    .map((child) => (child instanceof Node ? child : String(child)));
}

/** Return a URL that a link may have, http, https, mailto or tel; null for any other text. */
export function safeUrl(text) {
  try {
    const url = new URL(String(text), location.origin);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Return a link that opens beside this page and tells the other site nothing of it; a text where it is no URL. */
export function outerLink(url, ...children) {
  const href = safeUrl(url);
  if (href === null) return h("span", {}, ...children);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}

/** Return a URL that an image, a sound or a film may have: one of this server, or a blob of this page. */
export function ownUrl(text) {
  try {
    const url = new URL(String(text), location.origin);
    return ["http:", "https:", "blob:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
