/** What can go wrong between a page and the server. Every error has `message` in the server's words. */

/** The server refused a request: `code` and `status` as in its body (contract: error body). */
export class Refused extends Error {
  constructor(status, code, message, retryAfter = null) {
    super(message);
    this.name = "Refused";
    this.status = status;
    this.code = code;
    /** Seconds to wait before the next try; null where the server names none. */
    this.retryAfter = retryAfter;
  }
}

/** The server could not be reached, or what it sent was cut off. */
export class Unreachable extends Error {
  constructor(message = "The server cannot be reached.") {
    super(message);
    this.name = "Unreachable";
  }
}

/** The visitor has to log in: the app is not public, or the login has ended. */
export class LoginNeeded extends Refused {
  constructor(status, code, message) {
    super(status, code, message);
    this.name = "LoginNeeded";
  }
}

/** An answer's stream ended by an event `error`; `code` and `message` are the event's. */
export class AnswerFailed extends Error {
  constructor(event) {
    super(String(event.message ?? ""));
    this.name = "AnswerFailed";
    this.code = event.code ?? "unknown";
    this.event = event;
  }
}

/** Read a refusal from a response that is not 2xx. */
export async function refusalOf(response) {
  let body = {};
  try {
    body = await response.json();
  } catch (error) {
    // A proxy answered with a page of its own.
    if (!(error instanceof SyntaxError)) throw new Unreachable();
  }
  const message = typeof body.message === "string" ? body.message : `HTTP ${response.status}`;
  const code = typeof body.code === "string" ? body.code : "unknown";
  if (response.status === 401 && code !== "web_app_access_denied") {
    return new LoginNeeded(response.status, code, message);
  }
  const wait = Number.parseFloat(response.headers.get("Retry-After") ?? "");
  return new Refused(response.status, code, message, Number.isFinite(wait) ? wait : null);
}
