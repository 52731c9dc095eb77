/** How passwords and mailed codes travel: base64 of their UTF-8 bytes (contract endpoints.md, POST /login). */

export function base64(text) {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
