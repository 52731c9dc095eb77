/** The answers that a visitor saved, newest first, more at a wish. */

import { h } from "../core/dom.js";
import { dateText } from "../core/formats.js";
import { t } from "../core/texts.js";
import { writtenText } from "../forms/written_text.js";
import { copyButton } from "./answer_actions.js";
import { speechButton } from "../answers/speech.js";

const PAGE = 20;

/** Make the view; `load()` reads the list anew. */
export function savedView({ desk, parameters }) {
  const list = h("ul", { class: "saved" });
  const status = h("p", { class: "nothing", role: "status" });
  const more = h(
    "button",
    { type: "button", class: "button", hidden: true, onclick: () => page(false) },
    t("common.more"),
  );
  const element = h("div", { class: "saved-answers" }, status, list, more);
  let last = "";

  async function page(first) {
    more.disabled = true;
    if (first) {
      last = "";
      status.textContent = t("saved.loading");
    }
    try {
      const body = await desk.get("/saved-messages", { last_id: last, limit: PAGE });
      if (first) list.replaceChildren();
      list.append(...body.data.map(item));
      last = body.data.at(-1)?.id ?? last;
      more.hidden = !body.has_more;
      tell();
    } catch (wrong) {
      status.textContent = wrong.message;
      status.append(
        " ",
        h("button", { type: "button", class: "button button-small", onclick: () => page(first) }, t("error.tryAgain")),
      );
    } finally {
      more.disabled = false;
    }
  }

  const tell = () => (status.textContent = list.children.length ? "" : t("saved.none"));

  function item(message) {
    const away = h("button", { type: "button", class: "button button-small" }, t("saved.remove"));
    const element = h(
      "li",
      { class: "saved-answer" },
      h(
        "time",
        { class: "saved-time", datetime: new Date(message.created_at * 1000).toISOString() },
        dateText(new Date(message.created_at * 1000)),
      ),
      writtenText(message.answer ?? ""),
      h(
        "div",
        { class: "run-actions" },
        copyButton(() => message.answer ?? ""),
        parameters.text_to_speech?.enabled ? speechButton(desk, () => message.id) : null,
        away,
      ),
    );
    away.addEventListener("click", async () => {
      away.disabled = true;
      try {
        await desk.delete(`/saved-messages/${message.id}`);
        const next = element.nextElementSibling ?? element.previousElementSibling;
        element.remove();
        (next?.querySelector("button") ?? status).focus?.();
        tell();
      } catch (wrong) {
        away.disabled = false;
        status.textContent = wrong.message;
      }
    });
    return element;
  }
  return { element, load: () => page(true) };
}
