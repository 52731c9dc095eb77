/** Links to a run's files that work when somebody opens them, however long ago the run ended. */

import { FrameReader } from "../client/sse.js";
import { filesIn } from "./run_state.js";

/** A signed link works for five minutes by default; an older one than this is asked for anew. */
const FRESH_SECONDS = 240;

function isOld(address) {
  const made = Number(/[?&]timestamp=(\d+)/.exec(address)?.[1]);
  return Boolean(made) && Date.now() / 1000 - made > FRESH_SECONDS;
}

/** The links of a run's files by the files' ids, signed now. */
async function freshLinks(desk, runId) {
  const response = await desk.request("GET", `/workflow/${encodeURIComponent(runId)}/events`);
  const frames = new FrameReader().read(await response.text());
  const end = frames.find(({ event }) => event?.event === "workflow_finished");
  const files = filesIn([end?.event.data.outputs, end?.event.data.files]);
  return new Map(files.map((file) => [file.related_id, file.url]));
}

/** Keep the links within an element fresh: before a link opens, and where a picture did not load. */
export function keepLinksFresh(element, desk, runId) {
  const renew = async () => {
    const links = await freshLinks(desk, runId());
    for (const part of element.querySelectorAll("[data-file]")) {
      const link = links.get(part.dataset.file);
      if (link) part[part.tagName === "A" ? "href" : "src"] = link;
    }
  };
  element.addEventListener("click", async (event) => {
    const link = event.target.closest?.("a[data-file]");
    if (!link || !runId() || !isOld(link.href)) return;
    event.preventDefault();
    await renew();
    // A link that is as old as before says itself that it has ended.
    if (!isOld(link.href)) link.click();
    else globalThis.open(link.href, "_blank", "noopener");
  });
  // Errors of pictures, sounds and films do not bubble.
  element.addEventListener(
    "error",
    (event) => {
      const { target } = event;
      if (target.dataset?.file && runId() && isOld(target.src)) renew();
    },
    true,
  );
}
