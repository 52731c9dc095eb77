/** The sign-in of a visitor with an account: by password, or by a code that is mailed. */

import { h } from "../core/dom.js";
import { currentLanguage, t } from "../core/texts.js";
import { codeField, doorForm, emailField, passwordField } from "./door_form.js";
import { base64 } from "./encoding.js";

const RESEND_SECONDS = 60;

/**
 * Make the sign-in. `features`: the body of GET /system-features. `ondone()` is called when the access token is kept.
 * `resetAddress`: where a forgotten password is set anew. Returns an element.
 */
export function signInForm(calls, features, { ondone, resetAddress }) {
  const ways = [];
  if (features.enable_email_password_login) ways.push("password");
  if (features.enable_email_code_login) ways.push("code");
  const place = h("div", { class: "door-place" });
  let email = "";
  const enter = async (answer) => {
    calls.accessToken = answer.data.access_token;
    if (calls.code) await calls.renewPassport();
    await ondone();
  };
  const show = (way) => {
    const other = ways.find((one) => one !== way);
    const links = other ? [linkButton(t(`door.by.${other}`), () => show(other))] : [];
    const form =
      way === "password"
        ? passwordForm(calls, { email, enter, links, resetAddress, keep: (text) => (email = text) })
        : mailForm(calls, { email, enter, links, keep: (text) => (email = text) });
    place.replaceChildren(form);
    place.querySelector("input")?.focus();
  };
  if (!ways.length) return h("p", { class: "door-text" }, t("door.elsewhere"));
  show(ways[0]);
  return place;
}

function linkButton(text, onclick) {
  return h("button", { type: "button", class: "link-button", onclick }, text);
}

function passwordForm(calls, { email, enter, links, resetAddress, keep }) {
  const address = emailField(email);
  const password = passwordField();
  return doorForm({
    fields: [address, password],
    button: t("door.signIn"),
    links: [...links, resetAddress ? h("a", { href: resetAddress }, t("door.forgotten")) : null],
    async send() {
      keep(address.value.trim());
      const body = {
        email: address.value.trim(),
        password: base64(password.value),
        language: currentLanguage(),
        remember_me: true,
      };
      await enter(await calls.send("POST", "/login", { body, renew: false }));
    },
  }).element;
}

function mailForm(calls, { email, enter, links, keep }) {
  const address = emailField(email);
  const place = h("div", {});
  const form = doorForm({
    fields: [address],
    button: t("door.sendCode"),
    links,
    async send() {
      const to = address.value.trim();
      keep(to);
      const ask = () => mailCode(calls, "/email-code-login", to);
      const check = async (code, token) =>
        enter(
          await calls.send("POST", "/email-code-login/validity", {
            body: { email: to, code: base64(code), token },
            renew: false,
          }),
        );
      place.replaceChildren(
        codeStep({ email: to, token: await ask(), ask, check, back: () => place.replaceChildren(form) }),
      );
      place.querySelector("input").focus();
    },
  }).element;
  place.append(form);
  return place;
}

/** Let a code be mailed; returns the token that belongs to it. */
export async function mailCode(calls, path, email) {
  const answer = await calls.send("POST", path, { body: { email, language: currentLanguage() }, renew: false });
  return answer.data;
}

/**
 * Make the step that asks for a mailed code. `ask()` mails another one and resolves to its token; `check(code, token)`
 * does what the code is for; `back()` returns to the address.
 */
export function codeStep({ email, token, ask, check, back }) {
  const code = codeField();
  let current = token;
  const again = linkButton("", async () => {
    try {
      current = await ask();
      form.say("");
      countDown();
    } catch (wrong) {
      form.say(wrong.message);
    }
  });
  const form = doorForm({
    fields: [code],
    button: t("door.go"),
    links: [again, linkButton(t("door.otherEmail"), back)],
    send: () => check(code.value.replace(/\s/g, ""), current),
  });
  const countDown = (left = RESEND_SECONDS) => {
    again.disabled = left > 0;
    again.textContent = left > 0 ? t("door.resendIn", { count: left }) : t("door.resend");
    if (left > 0) setTimeout(() => countDown(left - 1), 1000);
  };
  countDown();
  return h("div", {}, h("p", { class: "door-text", role: "status" }, t("door.codeSent", { email })), form.element);
}
