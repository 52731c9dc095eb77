/** A forgotten password set anew: address, mailed code, new password. */

import { h } from "../core/dom.js";
import { t } from "../core/texts.js";
import { doorForm, emailField, passwordField } from "./door_form.js";
import { codeStep, mailCode } from "./sign_in_form.js";

/** Make the steps. `onstep(step)` hears `""`, `check-code` and `set-password`; `signInAddress`: where to go afterwards. */
export function resetForm(calls, { signInAddress, onstep = () => {} }) {
  const place = h("div", { class: "door-place" });
  const show = (step, element) => {
    place.replaceChildren(element);
    place.querySelector("input, a")?.focus();
    onstep(step);
  };
  const addressStep = (email = "") => {
    const address = emailField(email);
    const form = doorForm({
      fields: [address],
      button: t("door.sendCode"),
      links: [h("a", { href: signInAddress }, t("door.backToSignIn"))],
      async send() {
        const to = address.value.trim();
        const ask = () => mailCode(calls, "/forgot-password", to);
        const token = await ask();
        const check = async (code, current) => {
          const body = { email: to, code, token: current };
          const answer = await calls.send("POST", "/forgot-password/validity", { body, renew: false });
          show("set-password", passwordStep(answer.token));
        };
        show("check-code", codeStep({ email: to, token, ask, check, back: () => show("", addressStep(to)) }));
      },
    });
    return h("div", {}, h("p", { class: "door-text" }, t("door.resetAbout")), form.element);
  };
  const passwordStep = (token) => {
    const first = passwordField({ label: t("door.newPassword"), autocomplete: "new-password", check: strength });
    const second = passwordField({
      label: t("door.again"),
      autocomplete: "new-password",
      check: (text) => (text === first.value ? "" : t("door.problem.password_mismatch")),
    });
    const form = doorForm({
      fields: [first, second],
      button: t("door.setPassword"),
      async send() {
        const body = { token, new_password: first.value, password_confirm: second.value };
        await calls.send("POST", "/forgot-password/resets", { body, renew: false });
        show(
          "done",
          h(
            "div",
            {},
            h("p", { class: "door-text", role: "status" }, t("door.isSet")),
            h("a", { class: "button button-primary", href: signInAddress }, t("door.signIn")),
          ),
        );
      },
    });
    return h("div", {}, h("p", { class: "door-text" }, t("door.strength")), form.element);
  };
  show("", addressStep());
  return place;
}

/** What is wrong with a new password: 8 characters with a letter and a digit are asked for. */
function strength(text) {
  return text.length >= 8 && /[a-zA-Z]/.test(text) && /\d/.test(text) ? "" : t("door.strength");
}
