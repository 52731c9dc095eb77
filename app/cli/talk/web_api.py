"""Call the Web API for one visitor of one app: passport, requests, streams that go on after a cut."""

import json
import pathlib
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlsplit

import requests

from app.providers.http.outgoing import is_this_machine

CONNECT_SECONDS = 5.0
# A stream says something every PING_SECONDS; a connection that is silent for so long is cut.
SILENT_SECONDS = 60.0
# How long a cut stream is tried again.
PATIENCE_SECONDS = 60.0
# After one of them a stream has nothing more to say that could be missed.
LAST_EVENTS = ("message_end", "tts_message_end", "error", "workflow_finished", "workflow_paused")
_DROPPED = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
# Where each kind of app is asked, and what the others answer there.
PATHS = {
    "chat-messages": "not_chat_app",
    "completion-messages": "not_completion_app",
    "workflows/run": "not_workflow_app",
}


class TalkFailed(Exception):
    """A request failed; the text says why, for the person who asks. `status`: of HTTP, 0 without an answer."""

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class VisitorApi:
    """The API of one app for one end user. Raises TalkFailed."""

    def __init__(self, base_url: str, app_code: str, user: str | None = None) -> None:
        self._base, self._code = base_url.rstrip("/"), app_code
        self._session = requests.Session()
        # A proxy would ask its own machine.
        self._session.trust_env = not is_this_machine(urlsplit(base_url).hostname or "")
        self._session.headers.update({"X-App-Code": app_code, "Accept-Encoding": "identity"})
        claim = f"?user_id={quote(user)}" if user else ""
        self._session.headers["X-App-Passport"] = str(self.get(f"passport{claim}")["access_token"])

    def get(self, path: str) -> Any:
        """Return the body of a GET."""
        return self._send("GET", path).json()

    def post(self, path: str, body: Any) -> Any:
        """Return the body of a POST."""
        return self._send("POST", path, json=body).json()

    def upload(self, file: pathlib.Path) -> Any:
        """Upload a file; returns its body."""
        try:
            with file.open("rb") as content:
                return self._send("POST", "files/upload", files={"file": (file.name, content)}).json()
        except OSError as problem:
            raise TalkFailed(f"{file} cannot be read: {problem.strerror}") from None

    def path_of_mode(self) -> str:
        """Return where this app is asked: an empty question is refused differently where its mode does not fit."""
        for path, refusal in PATHS.items():
            try:
                self.post(path, {})
            except TalkFailed as refused:
                if refused.code == refusal:
                    continue
                if refused.status != 400:
                    raise
            return path
        raise TalkFailed(f"The app {self._code!r} is of a mode that this command does not know.")

    def stream(self, path: str, body: Any) -> "FollowedAnswer":
        """Ask, and return the events of the answer."""
        return FollowedAnswer(self, self._send("POST", path, json=body, stream=True))

    def events_after(self, task_id: str, number: int) -> requests.Response:
        """Return the stream of what followed an event of a task."""
        return self._send("GET", f"workflow/{task_id}/events", headers={"Last-Event-ID": str(number)}, stream=True)

    def _send(self, method: str, path: str, **more: Any) -> requests.Response:
        times = (CONNECT_SECONDS, SILENT_SECONDS)
        try:
            answer = self._session.request(method, f"{self._base}/api/{path}", timeout=times, **more)
        except _DROPPED:
            raise TalkFailed(
                f"No server answers at {self._base}: start one with `make run`, or name another with --url."
            ) from None
        except (requests.RequestException, UnicodeError) as problem:
            raise TalkFailed(f"{self._base} cannot be asked: {problem}") from None
        if answer.ok:
            return answer
        raise self._failure(answer)

    def _failure(self, answer: requests.Response) -> TalkFailed:
        try:
            body = answer.json()
        except ValueError:
            body = None
        body = body if isinstance(body, dict) else {}
        code, message = str(body.get("code", "")), str(body.get("message") or f"HTTP status {answer.status_code}")
        if answer.status_code == 404 and answer.request.path_url.partition("?")[0].endswith("/passport"):
            message = f"There is no app {self._code!r} at {self._base}, or its page is off."
        elif answer.status_code == 401:
            message = f"The app {self._code!r} asks for a login, which this command cannot do. ({message})"
        elif answer.status_code == 429 and (seconds := answer.headers.get("Retry-After")):
            message = f"{message} (try again in {seconds} s)"
        return TalkFailed(message, answer.status_code, code)


class FollowedAnswer:
    """The events of one answer, in order and once, over cuts of the connection and over pauses."""

    def __init__(self, api: VisitorApi, response: requests.Response) -> None:
        self._api, self._response = api, response
        self.task_id = ""
        # Set as soon as there is something that can be stopped.
        self.begun = threading.Event()
        self._number = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events up to the end of the answer, or to a pause. Raises TalkFailed."""
        ended = False
        while True:
            try:
                for number, event in _read(self._response):
                    self._number = max(number, self._number)
                    self.task_id = str(event.get("task_id") or self.task_id)
                    if self.task_id:
                        self.begun.set()
                    ended = ended or event.get("event") in LAST_EVENTS
                    yield event
            except _DROPPED:
                pass
            self._response.close()
            if ended:
                return
            self._go_on()

    def go_on_after_pause(self) -> Iterator[dict[str, Any]]:
        """Yield what follows a pause. Raises TalkFailed."""
        self._go_on()
        return self.events()

    def _go_on(self) -> None:
        """Open the stream again behind the last event. Raises TalkFailed."""
        if not self.task_id:
            raise TalkFailed("The connection was cut before the answer began: ask again.")
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, 0.25
        while True:
            try:
                self._response = self._api.events_after(self.task_id, self._number)
                return
            except TalkFailed as failed:
                away = failed.status == 0 or failed.status >= 500 or failed.status == 429
                if not away or time.monotonic() > deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 5.0)


def _read(response: requests.Response) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (number, event) of a stream's frames; those without a number have 0."""
    number, waiting = 0, b""
    for piece in response.iter_content(None):
        *lines, waiting = (waiting + piece).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b": ")
            if name == b"id" and value.isdigit():
                number = int(value)
            elif name == b"data":
                try:
                    event = json.loads(value)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield number, event
                number = 0
