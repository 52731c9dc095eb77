/** Speak instead of typing: record, send to POST /audio-to-text, take the words. */

import { iconButton, spinner } from "../core/controls.js";
import { h, replace } from "../core/dom.js";
import { announce, notify, wordsOf } from "../core/notices.js";
import { t } from "../core/texts.js";

const KINDS = [
  ["audio/webm;codecs=opus", "webm"],
  ["audio/mp4", "m4a"],
  ["audio/ogg;codecs=opus", "ogg"],
];
const LONGEST_MS = 5 * 60_000;

/** Return the button that records; `onWords(text)` gets what was said. Null where the browser cannot record. */
export function voiceButton(desk, onWords) {
  if (!globalThis.MediaRecorder || !navigator.mediaDevices?.getUserMedia) return null;
  const place = h("span", { class: "voice" });
  const rest = () => replace(place, iconButton("microphone", t("chat.speak"), record));
  async function record() {
    let recording;
    try {
      recording = await beginRecording();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      return notify(t(error.name === "NotAllowedError" ? "chat.noMicrophoneAllowed" : "chat.noMicrophone"), "bad");
    }
    announce(t("chat.recording"));
    const clock = h("span", { class: "voice-clock", role: "timer" }, "0:00");
    const ticking = setInterval(() => (clock.textContent = timeSince(recording.began)), 500);
    const finish = async (keep) => {
      clearInterval(ticking);
      const sound = await recording.end();
      if (!keep) return rest();
      replace(place, spinner(), h("span", { class: "soft" }, t("chat.listening")));
      await hear(sound);
      return rest();
    };
    const done = iconButton("check", t("chat.recordDone"), () => finish(true), { class: "recording" });
    replace(place, clock, iconButton("close", t("chat.recordCancel"), () => finish(false)), done);
    done.focus();
    setTimeout(() => recording.isOn() && finish(true), LONGEST_MS);
    return undefined;
  }
  async function hear({ blob, name }) {
    const body = new FormData();
    body.append("file", blob, name);
    try {
      const { text } = await desk.send("POST", "/audio-to-text", { body });
      if (text.trim()) onWords(text.trim());
      else notify(t("chat.heardNothing"));
    } catch (error) {
      notify(wordsOf(error), "bad");
    }
  }
  rest();
  return place;
}

async function beginRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const [mime, extension] = KINDS.find(([kind]) => MediaRecorder.isTypeSupported(kind)) ?? ["", "webm"];
  const recorder = new MediaRecorder(stream, mime ? { mimeType: mime } : {});
  const pieces = [];
  recorder.ondataavailable = (event) => pieces.push(event.data);
  const ended = new Promise((resolve) => (recorder.onstop = resolve));
  recorder.start(250);
  return {
    began: Date.now(),
    isOn: () => recorder.state === "recording",
    async end() {
      if (recorder.state !== "inactive") recorder.stop();
      await ended;
      for (const track of stream.getTracks()) track.stop();
      const type = (mime || "audio/webm").split(";")[0];
      return { blob: new Blob(pieces, { type }), name: `speech.${extension}` };
    },
  };
}

function timeSince(began) {
  const seconds = Math.floor((Date.now() - began) / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
