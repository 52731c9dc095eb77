/**
 * Puts an app's chat on a page of another site: a round button, and a window that it opens. Reads
 * `window.difyChatbotConfig` as Dify's embedding snippet sets it:
 *   token (the app's code), baseUrl (this script's origin unless named), inputs, systemVariables, userVariables,
 *   containerProps (attributes of the button), draggable, dragAxis ("x", "y", "both"), dynamicScript (start at once).
 * Adds one global name, `frontdeskChat`: {open(), close(), toggle()}.
 */
(() => {
  const BUTTON = "dify-chatbot-bubble-button";
  const WINDOW = "dify-chatbot-bubble-window";
  const DRAG_PIXELS = 5;
  const GAP = 12;
  const own = (name, value) => `var(--${BUTTON}-${name}, ${value})`;
  const STYLES = `
    #${BUTTON} { position: fixed; inset: ${own("top", "auto")} ${own("right", "1rem")} ${own("bottom", "1rem")}
      ${own("left", "auto")}; z-index: 2147483646; width: ${own("width", "48px")}; height: ${own("height", "48px")};
      margin: 0; padding: 0; border: 0; border-radius: ${own("border-radius", "25px")}; color: #fff; cursor: pointer;
      background-color: ${own("bg-color", "#155EEF")}; box-shadow: ${own("box-shadow", "rgba(0, 0, 0, 0.2) 0 4px 8px")};
      touch-action: manipulation; transition: transform 0.2s; }
    #${BUTTON}:hover { transform: ${own("hover-transform", "scale(1.1)")}; }
    #${BUTTON}:focus-visible { outline: 3px solid #fff; outline-offset: -5px;
      box-shadow: 0 0 0 3px ${own("bg-color", "#155EEF")}; }
    #${BUTTON} svg { display: block; width: 24px; height: 24px; margin: auto; pointer-events: none; }
    #${BUTTON}[data-draggable] { touch-action: none; }
    #${WINDOW} { position: fixed; z-index: 2147483647; width: 24rem; height: 43.75rem; overflow: hidden;
      max-width: calc(100vw - 2rem); max-height: calc(100vh - 6rem); border-radius: 1rem; background-color: #fff;
      box-shadow: rgba(0, 0, 0, 0.15) 0 10px 40px; }
    #${WINDOW}[hidden] { display: none; }
    #${WINDOW} iframe { display: block; width: 100%; height: 100%; border: 0; }
    @media (prefers-reduced-motion: reduce) { #${BUTTON} { transition: none; } }
  `;

  const config = window.difyChatbotConfig;
  const script = document.currentScript;
  if (!config?.token) return console.error("difyChatbotConfig.token is missing: it is the app's code.");
  if (document.getElementById(BUTTON)) return;
  const base = new URL(config.baseUrl || script?.src || location.href, location.href);
  const root = config.baseUrl ? config.baseUrl.replace(/\/+$/, "") : base.origin;
  let button, panel, frame;

  /** Return a value as the page expects it in its address: gzip in base64, plain where the browser cannot. */
  async function packed(value) {
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    if (!("CompressionStream" in window)) return text;
    const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  }

  async function address() {
    const query = new URLSearchParams();
    const groups = [["", config.inputs], ["sys.", config.systemVariables], ["user.", config.userVariables]];
    for (const [prefix, values] of groups) {
      for (const [name, value] of Object.entries(values ?? {})) {
        if (value !== undefined && value !== null) query.set(prefix + name, await packed(value));
      }
    }
    const words = query.toString();
    return `${root}/chatbot/${encodeURIComponent(config.token)}${words && `?${words}`}`;
  }

  function icon(path) {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const line = document.createElementNS(drawing.namespaceURI, "path");
    const look = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": true };
    for (const [name, value] of Object.entries(look)) drawing.setAttribute(name, value);
    line.setAttribute("d", path);
    drawing.append(line);
    return drawing;
  }

  const show = (path, open) => {
    button.replaceChildren(icon(path));
    button.setAttribute("aria-expanded", open);
  };
  const showClosed = () => show("M4 5h16v11H9l-5 4z", false);

  /** Put the window beside the button, on the side where there is more room. */
  function place() {
    const at = button.getBoundingClientRect();
    const { innerWidth: width, innerHeight: height } = window;
    const below = at.top < height - at.bottom;
    const left = at.left + at.width / 2 < width / 2;
    Object.assign(panel.style, {
      top: below ? `${at.bottom + GAP}px` : "auto", bottom: below ? "auto" : `${height - at.top + GAP}px`,
      left: left ? `${Math.max(at.left, GAP)}px` : "auto",
      right: left ? "auto" : `${Math.max(document.documentElement.clientWidth - at.right, GAP)}px`,
    });
  }

  /** An invisible stop at an end of the window: who tabs out there comes to the button, the other end of the round. */
  function edge() {
    const stop = document.createElement("span");
    stop.tabIndex = 0;
    stop.addEventListener("focus", () => button.focus());
    return stop;
  }

  async function makePanel() {
    panel = document.createElement("div");
    panel.id = WINDOW;
    panel.setAttribute("role", "dialog");
    frame = document.createElement("iframe");
    frame.title = button.getAttribute("aria-label");
    panel.setAttribute("aria-label", frame.title);
    frame.allow = "microphone; clipboard-write; fullscreen";
    panel.append(edge(), frame, edge());
    document.body.append(panel);
    frame.src = await address();
  }

  async function open() {
    if (panel && !panel.hidden) return;
    const made = panel ? null : makePanel();
    panel.hidden = false;
    show("M6 6l12 12M18 6L6 18", true);
    place();
    await made;
    frame.focus();
  }

  function close() {
    if (!panel || panel.hidden) return;
    panel.hidden = true;
    showClosed();
    button.focus();
  }

  const toggle = () => (panel && !panel.hidden ? close() : open());

  /** Let the button be moved; a click that ends a move opens nothing. */
  function makeDraggable() {
    let from = null;
    let moved = false;
    button.dataset.draggable = "";
    const within = (value, most) => `${Math.min(Math.max(value, 0), most)}px`;
    button.addEventListener("pointerdown", (event) => {
      const { left, top } = button.getBoundingClientRect();
      from = { x: event.clientX, y: event.clientY, left, top };
      moved = false;
      button.setPointerCapture(event.pointerId);
    });
    button.addEventListener("pointermove", (event) => {
      if (!from) return;
      const x = config.dragAxis === "y" ? 0 : event.clientX - from.x;
      const y = config.dragAxis === "x" ? 0 : event.clientY - from.y;
      if (!moved && Math.hypot(x, y) < DRAG_PIXELS) return;
      moved = true;
      Object.assign(button.style, {
        inset: "auto", left: within(from.left + x, innerWidth - button.offsetWidth),
        top: within(from.top + y, innerHeight - button.offsetHeight),
      });
      if (panel && !panel.hidden) place();
    });
    for (const end of ["pointerup", "pointercancel"]) button.addEventListener(end, () => { from = null; });
    button.addEventListener("click", (event) => { if (moved) event.stopImmediatePropagation(); }, true);
  }

  function dress(properties) {
    for (const [name, value] of Object.entries(properties ?? {})) {
      if (name === "style" && typeof value === "object") {
        for (const [key, text] of Object.entries(value)) {
          if (key.startsWith("--")) button.style.setProperty(key, text);
          else button.style[key] = text;
        }
      } else if (name === "style") button.style.cssText = value;
      else if (name === "className") button.className = value;
      else if (typeof value === "function") button.addEventListener(name.replace(/^on/i, "").toLowerCase(), value);
      else if (name !== "id") button.setAttribute(name, value);
    }
  }

  function start() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLES);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    button = document.createElement("button");
    button.id = BUTTON;
    button.type = "button";
    button.setAttribute("aria-label", "Chat");
    dress(config.containerProps);
    showClosed();
    if (config.draggable) makeDraggable();
    button.addEventListener("click", toggle);
    button.addEventListener("keydown", (event) => {
      if (event.key !== "Tab" || !panel || panel.hidden) return;
      event.preventDefault();
      frame.focus();
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
    addEventListener("resize", () => { if (panel && !panel.hidden) place(); });
    addEventListener("message", (event) => {
      if (frame && event.source === frame.contentWindow && event.data?.frontdesk === "close") close();
    });
    document.body.append(button);
    window.frontdeskChat = { open, close, toggle };
  }

  if (document.body && (config.dynamicScript || document.readyState !== "loading")) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
})();
