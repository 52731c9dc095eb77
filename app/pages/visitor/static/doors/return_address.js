/** Where a visitor came from and goes back to after the sign-in: an address of this server, and nothing else. */

const DOORS = /^\/webapp-(signin|reset-password)(\/|$)/;

/** Return the path of `redirect_url` in a query; null where it leads to another site, or to a door again. */
export function returnPath(query = location.search, origin = location.origin) {
  const given = new URLSearchParams(query).get("redirect_url");
  if (!given) return null;
  try {
    const url = new URL(given, origin);
    const own = url.origin === origin && ["http:", "https:"].includes(url.protocol) && !url.username && !url.password;
    // A path with two slashes would be read as another site's address.
    if (!own || url.pathname.startsWith("//") || DOORS.test(url.pathname)) return null;
    return url.pathname + url.search + url.hash;
  } catch (wrong) {
    if (wrong instanceof TypeError) return null;
    throw wrong;
  }
}

/** Return the code of the app at a path; empty where there is none. */
export function codeOf(path) {
  return /^\/(?:chat|chatbot|agent|completion|workflow)\/([A-Za-z0-9_-]+)/.exec(path ?? "")?.[1] ?? "";
}

/** Return the address of a door, `/webapp-signin` or another, that leads back to a path. */
export function doorAddress(door, path) {
  return path ? `${door}?${new URLSearchParams({ redirect_url: path })}` : door;
}
