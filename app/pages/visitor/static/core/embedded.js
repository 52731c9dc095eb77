/** A page in a frame of another site: Escape, where nothing in the page takes it, closes the window around it. */

if (window.parent !== window) {
  addEventListener("keydown", (event) => {
    // The other site is unknown to the page, and what it hears is no secret.
    if (event.key === "Escape" && !event.defaultPrevented) window.parent.postMessage({ frontdesk: "close" }, "*");
  });
}
