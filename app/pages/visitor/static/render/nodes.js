/**
 * Makes DOM nodes of what `readInline` gives, and changes them to what it gives next. What is the same stays the
 * same node: a text that grows has the new letters appended, so that a selection in it survives.
 * Attributes come from our own code, values from texts; nothing here reads HTML.
 */

/** A list of shown nodes: [{value, node, children}]. */
export function patch(parent, shown, values, before = null, mount = () => {}) {
  const kept = Math.min(shown.length, values.length);
  for (let at = 0; at < kept; at++) {
    if (!patchOne(shown[at], values[at], mount)) {
      const fresh = make(values[at], mount);
      shown[at].node.replaceWith(fresh.node);
      shown[at] = fresh;
    }
  }
  for (const { node } of shown.splice(kept)) node.remove();
  for (const value of values.slice(kept)) {
    const fresh = make(value, mount);
    parent.insertBefore(fresh.node, before);
    shown.push(fresh);
  }
}

function patchOne(entry, value, mount) {
  if (typeof value === "string") {
    if (typeof entry.value !== "string") return false;
    if (entry.value !== value) setText(entry.node, entry.value, value);
  } else {
    if (typeof entry.value === "string" || entry.value.tag !== value.tag) return false;
    if (value.opaque !== undefined || entry.value.opaque !== undefined) return entry.value.opaque === value.opaque;
    setAttributes(entry.node, value.attributes ?? {}, entry.value.attributes ?? {});
    patch(entry.node, entry.children, value.children ?? [], null, mount);
  }
  entry.value = value;
  return true;
}

/** Change a text node from one text to the next; what is only appended leaves selections where they are. */
export function setText(node, old, text) {
  if (text.startsWith(old)) node.appendData(text.slice(old.length));
  else node.data = text;
}

function make(value, mount) {
  if (typeof value === "string") return { value, node: document.createTextNode(value), children: [] };
  const node = element(value.tag, value.attributes);
  const entry = { value, node, children: [] };
  if (value.opaque !== undefined) mount(node, value);
  else patch(node, entry.children, value.children ?? [], null, mount);
  return entry;
}

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  setAttributes(node, attributes, {});
  node.append(...children);
  return node;
}

function setAttributes(node, attributes, old) {
  for (const name of Object.keys(old)) if (!attributes[name]) node.removeAttribute(name);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== "" && value !== old[name]) node.setAttribute(name, value);
  }
  if (node.localName === "img" && !node.hasAttribute("alt")) node.setAttribute("alt", "");
}
