/** An answer read aloud: a button that fetches its speech, plays it and stops it. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";

let playing = null;

/** Make the button for the answer that `messageId()` names. */
export function speechButton(desk, messageId) {
  const button = h("button", { type: "button", class: "button button-small", "aria-pressed": "false" }, t("run.speak"));
  const show = (text, pressed) => {
    button.textContent = text;
    button.setAttribute("aria-pressed", String(pressed));
  };
  const rest = () => show(t("run.speak"), false);
  button.addEventListener("click", async () => {
    if (playing?.button === button) return playing.stop();
    playing?.stop();
    const giving = new AbortController();
    const audio = new Audio();
    const mine = {
      button,
      stop() {
        giving.abort();
        audio.pause();
        if (audio.src) URL.revokeObjectURL(audio.src);
        if (playing === mine) playing = null;
        rest();
      },
    };
    playing = mine;
    show(t("run.speakWait"), true);
    try {
      const body = { message_id: messageId(), streaming: true };
      const response = await desk.request("POST", "/text-to-audio", { body, signal: giving.signal });
      const sound = await response.blob();
      if (!sound.type.startsWith("audio/")) return mine.stop();
      audio.src = URL.createObjectURL(sound);
      audio.addEventListener("ended", () => mine.stop());
      show(t("run.speakStop"), true);
      return await audio.play();
    } catch (wrong) {
      if (giving.signal.aborted) return undefined;
      mine.stop();
      return show(t("run.speakFailed"), false);
    }
  });
  return button;
}
