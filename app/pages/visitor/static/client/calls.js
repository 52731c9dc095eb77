/** Calls of the Web API: headers, passports, errors (app/docs/client.md). */

import { LoginNeeded, Unreachable, refusalOf } from "./errors.js";
import { workingStorage } from "./storage.js";

const TOKEN_KEY = "frontdesk-access-token";
const CALL_SECONDS = 100;

/** Calls the API for one app: keeps its passport, fetches a new one when the old one is refused. */
export class Calls {
  #fetching = null;
  /** Lets the visitor log in again while the page stays as it is; set by the page. It resolves with a new passport kept. */
  logIn = null;
  /** Whether the visitor is logging in again. */
  entering = false;

  /**
   * @param {{server?: string, code: string, userId?: string, storage?: Storage, fetch?: typeof fetch}} options
   *   `server`: the origin of the server, by default the page's. `userId`: the end user that the page claims.
   */
  constructor({ server = "", code, userId = "", storage = workingStorage(), fetch = globalThis.fetch.bind(globalThis) }) {
    this.base = `${server.replace(/\/+$/, "")}/api`;
    this.code = code;
    this.userId = userId;
    this.storage = storage;
    this.fetch = fetch;
  }

  get #passportKey() {
    return `passport-${this.code}`;
  }

  /** The passport of this app; empty where there is none yet. */
  get passport() {
    return this.storage.getItem(this.#passportKey) ?? "";
  }

  /** The access token of the visitor's account; empty where nobody has logged in. */
  get accessToken() {
    return this.storage.getItem(TOKEN_KEY) ?? "";
  }

  /** Keep the access token of a login; an empty one ends it, with the passport that it gave. */
  set accessToken(token) {
    if (token) this.storage.setItem(TOKEN_KEY, token);
    else this.storage.removeItem(TOKEN_KEY);
    this.storage.removeItem(this.#passportKey);
  }

  /** Return the headers of a call. */
  headers() {
    const headers = { "X-App-Code": this.code, "X-App-Passport": this.passport };
    if (this.accessToken) headers.Authorization = `Bearer ${this.accessToken}`;
    return headers;
  }

  /** Fetch a passport and keep it. Calls at once share one request. Throws Refused, LoginNeeded, Unreachable. */
  renewPassport() {
    this.#fetching ??= this.#fetchPassport().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  /** Renew the passport; where the login has ended, let the visitor log in first. Throws what `renewPassport` throws. */
  async enterAgain() {
    try {
      await this.renewPassport();
    } catch (error) {
      if (!(error instanceof LoginNeeded) || !this.logIn) throw error;
      this.entering = true;
      try {
        await this.logIn();
      } finally {
        this.entering = false;
      }
    }
  }

  async #fetchPassport() {
    const query = this.userId ? { user_id: this.userId } : {};
    const { access_token: token } = await this.send("GET", "/passport", { query, renew: false });
    this.storage.setItem(this.#passportKey, token);
  }

  /** Return the body of a GET. Throws Refused, LoginNeeded, Unreachable. */
  get(path, query = {}) {
    return this.send("GET", path, { query });
  }

  /** Return the body of a POST with a JSON body. */
  post(path, body = undefined) {
    return this.send("POST", path, { body });
  }

  /** Return the body of a PATCH. */
  patch(path, body = undefined) {
    return this.send("PATCH", path, { body });
  }

  /** Send a DELETE. */
  delete(path) {
    return this.send("DELETE", path);
  }

  /** Send a request and return its JSON body; null where it has none. */
  async send(method, path, { query = {}, body, renew = true, signal } = {}) {
    const limit = AbortSignal.timeout(CALL_SECONDS * 1000);
    const response = await this.request(method, path, {
      query,
      body,
      renew,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    if (response.status === 204) return null;
    try {
      return await response.json();
    } catch {
      throw new Unreachable();
    }
  }

  /**
   * Send a request and return its response, which is 2xx. A passport that is refused is renewed once.
   * Throws Refused, LoginNeeded, Unreachable, and AbortError where `signal` says so.
   */
  async request(method, path, { query = {}, body, headers = {}, renew = true, signal } = {}) {
    const url = `${this.base}${path}${queryText(query)}`;
    const used = this.passport;
    const init = { method, headers: { ...this.headers(), ...headers }, credentials: "include", signal };
    if (body instanceof FormData) init.body = body;
    else if (body !== undefined) {
      init.headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    const response = await this.#fetch(url, init);
    if (response.ok) return response;
    const refusal = await refusalOf(response);
    if (!renew || !(refusal instanceof LoginNeeded)) throw refusal;
    // Another call may have renewed it already.
    if (this.passport === used) await this.enterAgain();
    return this.request(method, path, { query, body, headers, renew: false, signal });
  }

  async #fetch(url, init) {
    try {
      return await this.fetch(url, init);
    } catch (error) {
      if (error.name === "AbortError" && init.signal?.reason?.name !== "TimeoutError") throw error;
      throw new Unreachable();
    }
  }
}

/** Return `?a=b` for the values that are there. */
export function queryText(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}
