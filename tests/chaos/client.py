"""A client of the API that comes back: it repeats what could not be delivered, and goes on with cut streams."""

import itertools
import random
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests

from tests.chaos.ledger import REFUSED, STUCK, Ledger
from tests.support.sse import Frame, parse_frame

CONNECT_SECONDS = 5.0
# A stream pings every PING_SECONDS of the product: behind this silence its connection counts as dead.
SILENCE_SECONDS = 8.0
# A question, or any single call, that takes longer is stuck. The faults themselves last some seconds each.
PATIENCE_SECONDS = 75.0
# For a whole answer in one body: who waits for longer looks into the history, or asks again.
BLOCKING_SECONDS = 25.0
PAUSE = 0.3
UNAVAILABLE = (502, 503, 504)


class GaveUp(Exception):
    """A call did not succeed within the client's patience, or was refused; it is noted in the ledger."""


class Unanswered(Exception):
    """A request that changes something may have arrived or not."""


class Client:
    """One end user of one app, who goes to another web server where one is away. Used by one thread."""

    def __init__(self, base_urls: Sequence[str], code: str, ledger: Ledger) -> None:
        self.code = code
        self._bases = itertools.cycle(base_urls)
        self._base = next(self._bases)
        self._ledger = ledger
        self._headers = {"X-App-Code": code}
        self._headers["X-App-Passport"] = self.get("/passport")["access_token"]

    def get(self, path: str, **params: Any) -> Any:
        """Return the body of a GET, repeated while the service is away. Raises GaveUp."""
        return self._repeat(lambda: self._request("GET", path, params=params), f"GET {path}").json()

    def submit(self, token: str, body: dict[str, Any]) -> None:
        """Submit a form, whether or not an earlier try arrived. Raises GaveUp."""
        path = f"/form/human_input/{token}"
        self._repeat(lambda: self._request("POST", path, json=body), f"POST {path}", also_fine=(412,))

    def upload(self, content: bytes) -> Any:
        """Return what is stored of a file, sent again until it is. Raises GaveUp."""
        files = {"file": ("bytes.bin", content, "application/octet-stream")}
        return self._repeat(lambda: self._request("POST", "/files/upload", files=files), "POST /files/upload").json()

    def download(self, url: str) -> bytes:
        """Return the content of a file. Raises GaveUp."""
        parts = urllib.parse.urlsplit(url)
        path = f"{parts.path}?{parts.query}"
        return self._repeat(lambda: self._request("GET", path, root=""), "GET a file").content

    def ask(self, path: str, body: dict[str, Any]) -> requests.Response:
        """Return the answer to a question, a stream or a body. Raises Unanswered, GaveUp.

        A 503 says that the question was not begun: it is asked again by the caller, who counts it. Raises Unanswered
        for it too.
        """
        streaming = body["response_mode"] == "streaming"
        try:
            seconds = SILENCE_SECONDS if streaming else BLOCKING_SECONDS
            response = self._request("POST", path, json=body, stream=streaming, seconds=seconds)
        except requests.RequestException as error:
            self._ledger.returned("cut before an answer")
            raise Unanswered from error
        if response.status_code in UNAVAILABLE:
            self._ledger.returned(f"HTTP {response.status_code}")
            raise Unanswered
        self._refuse(response, f"POST {path}")
        return response

    def resume(self, identifier: str, after: int | None, with_snapshot: bool) -> requests.Response:
        """Return the rest of a stream. Raises GaveUp."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        params = {"include_state_snapshot": "true"} if with_snapshot else {}
        path = f"/workflow/{identifier}/events"
        return self._repeat(
            lambda: self._request("GET", path, params=params, headers=headers, stream=True), f"GET {path}"
        )

    def _request(
        self,
        method: str,
        path: str,
        seconds: float = SILENCE_SECONDS,
        root: str = "/api",
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        base, headers = self._base, self._headers | (headers or {})
        try:
            return requests.request(
                method, f"{base}{root}{path}", headers=headers, timeout=(CONNECT_SECONDS, seconds), **more
            )
        except requests.RequestException:
            self._base = next(self._bases)
            raise

    def _repeat(
        self, send: Callable[[], requests.Response], what: str, also_fine: tuple[int, ...] = ()
    ) -> requests.Response:
        deadline = time.monotonic() + PATIENCE_SECONDS
        reason = ""
        while time.monotonic() < deadline:
            try:
                response = send()
            except requests.RequestException as error:
                reason = type(error).__name__
            else:
                if response.status_code not in UNAVAILABLE:
                    if response.status_code not in also_fine:
                        self._refuse(response, what)
                    return response
                reason = f"HTTP {response.status_code}"
            self._ledger.returned(reason)
            rest()
        self._ledger.note(STUCK, f"{self.code}: {what} never worked, at last {reason}")
        raise GaveUp

    def _refuse(self, response: requests.Response, what: str) -> None:
        if not response.ok:
            self._ledger.note(REFUSED, f"{self.code}: {what}: {response.status_code} {response.text[:300]}")
            raise GaveUp


def frames_of(response: requests.Response) -> Iterator[Frame]:
    """Yield the frames of a stream until it ends or breaks; half a frame counts as none."""
    waiting = b""
    try:
        for piece in response.iter_content(None):
            *blocks, waiting = (waiting + piece).split(b"\n\n")
            for block in blocks:
                frame = parse_frame(block.decode())
                if frame is not None:
                    yield frame
    except requests.RequestException:
        return
    finally:
        response.close()


def rest() -> None:
    """Wait a moment before the next try, each client another one."""
    threading.Event().wait(PAUSE * random.uniform(0.5, 1.5))
