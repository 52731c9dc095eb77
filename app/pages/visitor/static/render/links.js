/** Which addresses a text may lead to, and which bare words are addresses. */

const SCHEMES = new Set(["http:", "https:", "mailto:", "tel:"]);
/** Where this server gives out files by signed addresses. */
const FILES = /^\/(files|console\/api\/files)\//;
const ADDRESS = /(?:https?:\/\/|www\.)[^\s<>"`\u3000-\u303f\uff00-\uffef]+/gi;
const MAIL_NAME = /[\w.+-]/;
const MAIL_HOST = /[\w-]+(?:\.[\w-]+)+/y;

/** Return the address as a browser would open it, or null where the text may not lead there. */
export function safeLink(href) {
  let address;
  try {
    address = new URL(href, document.baseURI);
  } catch {
    return null;
  }
  return SCHEMES.has(address.protocol) ? address.href : null;
}

/** Return the address of a picture that this server keeps, or null: no other host learns that somebody reads. */
export function safeImage(href, origins) {
  const address = safeLink(href);
  if (!address) return null;
  const { origin, pathname } = new URL(address);
  return origins.includes(origin) && FILES.test(pathname) ? address : null;
}

/** Return a map from where a bare address begins to {text, href}. */
export function bareLinks(text) {
  const found = new Map();
  for (const match of text.matchAll(ADDRESS)) {
    if (match.index && /\w/.test(text[match.index - 1])) continue;
    const address = trimmed(match[0]);
    const href = safeLink(/^www\./i.test(address) ? `http://${address}` : address);
    if (href && address.length > 8) found.set(match.index, { text: address, href });
  }
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) addMail(text, at, found);
  return found;
}

function addMail(text, at, found) {
  let start = at;
  while (start > 0 && at - start < 64 && MAIL_NAME.test(text[start - 1])) start--;
  MAIL_HOST.lastIndex = at + 1;
  const host = MAIL_HOST.exec(text);
  if (start === at || !host || host[0].length > 253) return;
  const address = text.slice(start, at + 1) + host[0];
  if (/^\w/.test(address)) found.set(start, { text: address, href: `mailto:${address}` });
}

/** Leave out what belongs to the sentence: the full stop, a bracket that was opened before the address. */
function trimmed(address) {
  let end = address.length;
  let open = 0;
  for (const sign of address) open += sign === "(" ? 1 : sign === ")" ? -1 : 0;
  for (; end > 0; end--) {
    const last = address[end - 1];
    if (last === ")" && open < 0) open++;
    else if (!"?!.,:*_~'\"]}".includes(last)) break;
  }
  return address.slice(0, end);
}
