/**
 * A client of Frontdesk's Web API, for the pages of this server and for pages of others:
 *
 *   import { Frontdesk } from "https://desk.example.com/frontdesk.js";
 *   const desk = new Frontdesk({ server: "https://desk.example.com", code: "chat" });
 *   await desk.ask({ query: "Hello" }, { onEvent: (event) => …, onState: (state) => … });
 *
 * app/docs/client.md describes it.
 */

import { Calls } from "./calls.js";
import { LoginNeeded, Refused, Unreachable } from "./errors.js";
import { TaskStream } from "./task_stream.js";

export { AnswerFailed, LoginNeeded, Refused, Unreachable } from "./errors.js";
export { workingStorage } from "./storage.js";

/** The path under which answers of a mode are stopped. */
const STOP_PATHS = {
  completion: (id) => `/completion-messages/${id}/stop`,
  workflow: (id) => `/workflows/tasks/${id}/stop`,
};

/** One app on one server, as one visitor sees it. Options: those of Calls. */
export class Frontdesk extends Calls {
  /**
   * Make sure that there is a passport for this app and return what the server says of itself:
   * `{features, accessMode}`. Throws LoginNeeded where the visitor must log in, Refused where the app is not there.
   */
  async enter() {
    const claim = this.userId ? { user_id: this.userId } : {};
    const [features, { accessMode }, login] = await Promise.all([
      this.#ask("/system-features"),
      this.#ask("/webapp/access-mode", { appCode: this.code }),
      this.#ask("/login/status", { app_code: this.code, ...claim }),
    ]);
    if (!login.logged_in && accessMode !== "public") throw new LoginNeeded(401, "unauthorized", "");
    if (!login.app_logged_in) await this.renewPassport();
    return { features, accessMode };
  }

  /** Return what the app says of itself: `{site, parameters, meta}`; `site` is the whole body of GET /site. */
  async describe() {
    const [site, parameters, meta] = await Promise.all([
      this.get("/site"),
      this.get("/parameters"),
      this.get("/meta"),
    ]);
    return { site, parameters, meta };
  }

  /** Ask a chat app; the body is that of POST /chat-messages. Returns a TaskStream once the server has accepted it. */
  ask(body, listeners) {
    return this.#begin("/chat-messages", { inputs: {}, ...body }, listeners);
  }

  /** Ask a completion app; the body is that of POST /completion-messages. */
  complete(body, listeners) {
    return this.#begin("/completion-messages", { inputs: {}, ...body }, listeners);
  }

  /** Run a workflow; the body is that of POST /workflows/run. */
  run(body, listeners) {
    return this.#begin("/workflows/run", { inputs: {}, ...body }, listeners);
  }

  /** Read on a task, from the event after number `after`. `id`: its task id, message id or workflow run id. */
  resume(id, listeners, after = 0) {
    return new TaskStream(this, listeners).resume(id, after);
  }

  /** Stop a task; what it has said so far is kept. `mode`: the app's. */
  stop(taskId, mode = "chat") {
    const path = STOP_PATHS[mode] ?? ((id) => `/chat-messages/${id}/stop`);
    return this.post(path(encodeURIComponent(taskId)));
  }

  /**
   * Upload a file and return its description (contract: POST /files/upload).
   * @param {{onProgress?: (share: number) => void, signal?: AbortSignal}} options `share`: 0 to 1.
   */
  async upload(file, { onProgress = () => {}, signal } = {}) {
    // A passport that is too old is found out by a small request, not by a large one.
    if (!this.passport) await this.renewPassport();
    const send = () => sendFile(`${this.base}/files/upload`, file, this.headers(), onProgress, signal);
    try {
      return await send();
    } catch (error) {
      if (error.status !== 401) throw error;
      await this.enterAgain();
      return send();
    }
  }

  /** Let the server fetch a file of another site and return its description (POST /remote-files/upload). */
  uploadLink(url) {
    return this.post("/remote-files/upload", { url });
  }

  /** Return the body of a GET that needs no passport. An unknown code is refused by 400 or 404: here always by 404. */
  async #ask(path, query = {}) {
    try {
      return await this.send("GET", path, { query, renew: false });
    } catch (error) {
      throw error.status === 400 ? new Refused(404, "not_found", error.message) : error;
    }
  }

  #begin(path, body, listeners) {
    return new TaskStream(this, listeners).begin(path, { response_mode: "streaming", ...body });
  }
}

/** Send a file by XMLHttpRequest, which tells of its progress. */
export function sendFile(url, file, headers, onProgress = () => {}, signal = undefined) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.withCredentials = true;
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    request.onload = () => {
      const body = bodyOf(request.responseText);
      if (request.status === 201) resolve(body);
      else reject(new Refused(request.status, body.code ?? "unknown", body.message ?? `HTTP ${request.status}`));
    };
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(new DOMException("The upload was given up.", "AbortError"));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    const form = new FormData();
    form.append("file", file, file.name);
    request.send(form);
  });
}

function bodyOf(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
