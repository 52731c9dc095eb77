/** What the address of a page says: its app, and what an embedding page hands over (contract: client, §1). */

const OF_SYSTEM = "sys.";
const OF_USER = "user.";

/** Return the last part of the page's path: the app's code, or a form's token. */
export function lastPart(path = location.pathname) {
  return decodeURIComponent(path.replace(/\/+$/, "").split("/").pop() ?? "");
}

/**
 * Return `{inputs, system, user}` of a query: inputs by their names; `sys.user_id` and `sys.conversation_id` without
 * their prefix, and so what begins with `user.`. Values may be plain, or packed as embedding scripts pack them.
 */
export async function handedOver(query = location.search) {
  const handed = { inputs: {}, system: {}, user: {} };
  for (const [name, text] of new URLSearchParams(query)) {
    const value = await unpacked(text);
    if (name.startsWith(OF_SYSTEM)) handed.system[name.slice(OF_SYSTEM.length)] = value;
    else if (name.startsWith(OF_USER)) handed.user[name.slice(OF_USER.length)] = value;
    else handed.inputs[name] = value;
  }
  return handed;
}

/** Return the text of a value that is gzip in base64; any other value as it is. */
async function unpacked(text) {
  // A gzip stream begins with the bytes 1f 8b 08.
  if (!text.startsWith("H4sI")) return text;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll(" ", "+")), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return await new Response(stream).text();
  } catch {
    return text;
  }
}
