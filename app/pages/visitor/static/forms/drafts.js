/** What a visitor typed, kept in this tab until it was sent: a reload or a new sign-in loses nothing. */

const PREFIX = "draft:";

/** Return the draft of that name, or null. */
export function readDraft(name) {
  const kept = sessionStorage.getItem(PREFIX + name);
  if (kept === null) return null;
  try {
    return JSON.parse(kept);
  } catch (wrong) {
    if (wrong instanceof SyntaxError) return null;
    throw wrong;
  }
}

/** Keep a draft. Where the tab may store nothing more, it is not kept. */
export function keepDraft(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch (wrong) {
    if (!(wrong instanceof DOMException)) throw wrong;
  }
}

export function dropDraft(name) {
  sessionStorage.removeItem(PREFIX + name);
}
