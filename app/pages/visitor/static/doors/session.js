/** A session that ended while its page is open: the visitor signs in again over it, and nothing on it is lost. */

import { LoginNeeded } from "../client/frontdesk.js";
import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { newId } from "../forms/field.js";
import { signInForm } from "./sign_in_form.js";

let asking = null;

/**
 * Let the visitor sign in again; resolves when there is a new passport. Calls at once share one dialog.
 * Throws LoginNeeded where the visitor closes it.
 */
export function signInAgain(calls) {
  asking ??= askFor(calls).finally(() => {
    asking = null;
  });
  return asking;
}

async function askFor(calls) {
  const features = await calls.send("GET", "/system-features", { renew: false });
  const before = document.activeElement;
  const title = h("h2", { id: newId("session") }, t("door.sessionOver"));
  const dialog = h("dialog", { class: "door-dialog", "aria-labelledby": title.id });
  return new Promise((resolve, reject) => {
    let done = false;
    dialog.append(
      title,
      h("p", { class: "door-text" }, t("door.sessionOverAbout")),
      signInForm(calls, features, {
        ondone() {
          done = true;
          dialog.close();
        },
      }),
      h(
        "div",
        { class: "door-links" },
        h("button", { type: "button", class: "link-button", onclick: () => dialog.close() }, t("door.notNow")),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.();
      if (done) resolve();
      else reject(new LoginNeeded(401, "unauthorized", t("door.sessionOver")));
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input")?.focus();
  });
}
