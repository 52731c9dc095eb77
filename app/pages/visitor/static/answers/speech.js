/** Answers that are heard: a button that fetches an answer's speech, and speech that comes with the answer. */

import { iconButton } from "../core/controls.js";
import { notify, wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";

const MP3 = "audio/mpeg";
let current = null;

/** Stop what is heard now. */
export function silence() {
  current?.stop();
}

/** Return the button that reads an answer out; pressed again it stops. `messageId()`: the answer's. */
export function speechButton(desk, messageId) {
  const control = iconButton("sound", t("chat.hear"), press, { class: "small", "aria-pressed": "false" });
  const show = (on) => {
    control.setAttribute("aria-pressed", String(on));
    control.setAttribute("aria-label", t(on ? "chat.hearStop" : "chat.hear"));
  };
  async function press() {
    if (current?.owner === control) return current.stop();
    silence();
    const fetching = new AbortController();
    const mine = begin(control, () => {
      fetching.abort();
      show(false);
    });
    show(true);
    try {
      const body = { message_id: messageId(), streaming: true };
      const response = await desk.request("POST", "/text-to-audio", { body, signal: fetching.signal });
      const sound = await response.blob();
      if (!sound.type.startsWith("audio/")) return mine.stop();
      return await mine.play(URL.createObjectURL(sound));
    } catch (error) {
      if (fetching.signal.aborted) return undefined;
      mine.stop();
      return notify(wordsOf(error), "bad");
    }
  }
  return control;
}

/** Plays the speech that an answer's stream brings in pieces, as they come where the browser can. */
export class SpokenAnswer {
  #pieces = [];
  #buffer = null;
  #source = null;
  #sound = null;
  #whole = false;

  /** Take an event `tts_message` or `tts_message_end`. */
  take({ event, audio }) {
    if (event === "tts_message_end") {
      this.#whole = true;
      return this.#source ? this.#pump() : this.#playWhole();
    }
    this.#pieces.push(Uint8Array.from(atob(audio ?? ""), (letter) => letter.charCodeAt(0)));
    if (!this.#sound && globalThis.MediaSource?.isTypeSupported(MP3)) this.#open();
    return this.#pump();
  }

  #open() {
    silence();
    this.#sound = begin(this, () => {});
    this.#source = new MediaSource();
    this.#source.addEventListener("sourceopen", () => {
      this.#buffer = this.#source.addSourceBuffer(MP3);
      this.#buffer.addEventListener("updateend", () => this.#pump());
      this.#pump();
    });
    this.#sound.play(URL.createObjectURL(this.#source)).catch(() => this.#sound.stop());
  }

  #pump() {
    if (!this.#buffer || this.#buffer.updating || this.#source.readyState !== "open") return;
    const next = this.#pieces.shift();
    if (next) this.#buffer.appendBuffer(next);
    else if (this.#whole) this.#source.endOfStream();
  }

  #playWhole() {
    if (!this.#pieces.length) return;
    silence();
    const sound = begin(this, () => {});
    sound.play(URL.createObjectURL(new Blob(this.#pieces, { type: MP3 }))).catch(() => sound.stop());
  }
}

/** Begin to play for an owner; `onstop` is called when it ends, by itself or by another. */
function begin(owner, onstop) {
  const audio = new Audio();
  const mine = {
    owner,
    play(address) {
      audio.src = address;
      audio.addEventListener("ended", mine.stop);
      return audio.play();
    },
    stop() {
      audio.pause();
      if (audio.src) URL.revokeObjectURL(audio.src);
      if (current === mine) current = null;
      onstop();
    },
  };
  current = mine;
  return mine;
}
