/** Read server-sent events from the body of a response (contract: streaming, §1). */

/** Splits a text that comes in pieces into frames `{id, event}`; `event` is the parsed JSON, null for a ping. */
export class FrameReader {
  #rest = "";
  #id = null;
  #data = [];
  #seen = false;

  /** Take a piece of text and return the frames that it completes. */
  read(piece) {
    const frames = [];
    const lines = (this.#rest + piece).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      const text = line.endsWith("\r") ? line.slice(0, -1) : line;
      if (text) this.#take(text);
      else if (this.#seen) frames.push(this.#close());
    }
    return frames;
  }

  #take(line) {
    this.#seen = true;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") this.#id = value;
    else if (name === "data") this.#data.push(value);
  }

  #close() {
    const frame = { id: this.#id, event: parsed(this.#data.join("\n")) };
    this.#id = null;
    this.#data = [];
    this.#seen = false;
    return frame;
  }
}

/** Return the JSON object of a text; null for an empty text and for what is none. */
function parsed(text) {
  if (!text) return null;
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

/** Call `onFrame` for each frame of a response until it ends, `onBytes` whenever anything came. */
export async function readFrames(response, onFrame, onBytes = () => {}) {
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const frames = new FrameReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      for (const frame of frames.read(decoder.decode(value, { stream: true }))) onFrame(frame);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
