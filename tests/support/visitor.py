"""An end user of a running server, who reads streams in the background as a browser does."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import requests

from tests.support.sse import Frame, answer_text, parse_frame

CALL_SECONDS = 60
# Other processes test on the same machine: what a quiet one does in a second may take some.
PATIENCE = 3


def wait_until(condition: Callable[[], Any], seconds: float, what: str = "the condition") -> None:
    """Poll until something holds; `seconds` are those of a quiet machine. Raises AssertionError."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: still not so after {seconds * PATIENCE} s"
        time.sleep(0.02)


class LiveStream:
    """A stream that is being read by a thread: `frames` grows as they come."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.frames: list[Frame] = []
        self.times: list[float] = []
        self.pings = 0
        self.ended: float | None = None
        self.broken: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        return answer_text(self.frames)

    @property
    def events(self) -> list[str]:
        return [frame.event for frame in self.frames]

    @property
    def last_number(self) -> int:
        return max((frame.number or 0 for frame in self.frames), default=0)

    def wait_for_frames(self, count: int, seconds: float = 20) -> Self:
        wait_until(lambda: len(self.frames) >= count or self.ended, seconds, f"{count} frames")
        assert len(self.frames) >= count, f"the stream ended early: {self.frames[-1:]} {self.broken!r}"
        return self

    def wait_for_event(self, event: str, seconds: float = 20) -> float:
        """The monotonic time at which an event first came."""
        wait_until(lambda: event in self.events or self.ended, seconds, f"event {event}")
        assert event in self.events, f"the stream ended without {event}: {self.frames[-1:]} {self.broken!r}"
        return self.times[self.events.index(event)]

    def wait_for_end(self, seconds: float = 30) -> Self:
        wait_until(
            lambda: self.ended is not None,
            seconds,
            f"the end of a stream ({len(self.frames)} frames so far: {self.frames[-1:]})",
        )
        assert self.broken is None, f"the stream broke: {self.broken!r}"
        return self

    def leave(self) -> None:
        """Close the connection in the middle, as a closed tab does."""
        self._closing = True
        connection = self.response.raw.connection
        if connection is not None and connection.sock is not None:
            connection.sock.shutdown(2)
        self._thread.join(5)

    def _read(self) -> None:
        waiting = b""
        try:
            for piece in self.response.iter_content(None):
                *blocks, waiting = (waiting + piece).split(b"\n\n")
                for block in blocks:
                    frame = parse_frame(block.decode())
                    if frame is None:
                        self.pings += 1
                    else:
                        self.times.append(time.monotonic())
                        self.frames.append(frame)
        except requests.RequestException as error:
            self.broken = None if self._closing else error
        self.ended = time.monotonic()


class Visitor:
    """One end user of one app."""

    def __init__(self, base_url: str, code: str) -> None:
        self.base_url = base_url
        self.code = code
        self.session = requests.Session()
        self.session.headers["X-App-Code"] = code
        self.session.headers["X-App-Passport"] = self.json("GET", "/passport")["access_token"]

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, f"{self.base_url}/api{path}", timeout=CALL_SECONDS, **more)

    def json(self, method: str, path: str, **more: Any) -> Any:
        """The body of a call that must succeed."""
        answer = self.call(method, path, **more)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def chat(self, query: str, conversation_id: str = "", **more: Any) -> LiveStream:
        body = {"inputs": {}, "query": query, "response_mode": "streaming", "conversation_id": conversation_id} | more
        return self._stream("POST", "/chat-messages", json=body)

    def write(self, text: str) -> LiveStream:
        """A completion, of an app whose only input is `text`."""
        return self._stream(
            "POST", "/completion-messages", json={"inputs": {"text": text}, "response_mode": "streaming"}
        )

    def run(self, **inputs: Any) -> LiveStream:
        """A workflow run."""
        return self._stream("POST", "/workflows/run", json={"inputs": inputs})

    def snapshot(self, run_id: str) -> LiveStream:
        """The stream of a running workflow, from a snapshot of what happened so far."""
        return self._stream("GET", f"/workflow/{run_id}/events", params={"include_state_snapshot": "true"})

    def resume(self, identifier: str, last_event_id: int | None = None) -> LiveStream:
        headers: Mapping[str, str] = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        return self._stream("GET", f"/workflow/{identifier}/events", headers=headers)

    def stop(self, task_id: str) -> requests.Response:
        return self.call("POST", f"/chat-messages/{task_id}/stop")

    def messages(self, conversation_id: str) -> list[dict[str, Any]]:
        page = self.json("GET", "/messages", params={"conversation_id": conversation_id, "limit": 20})
        return list(page["data"])

    def stored_answer(self, frame: Frame) -> str:
        """Return the answer that GET /messages shows for the message of a frame."""
        found = [
            message
            for message in self.messages(frame.data["conversation_id"])
            if message["id"] == frame.data["message_id"]
        ]
        assert len(found) == 1
        return str(found[0]["answer"])

    def _stream(self, method: str, path: str, **more: Any) -> LiveStream:
        # A session of its own: one end user may have several streams at once, and a pool of connections would get in
        # their way.
        headers = {**self.session.headers, **more.pop("headers", {})}
        response = requests.request(
            method, f"{self.base_url}/api{path}", headers=headers, stream=True, timeout=CALL_SECONDS, **more
        )
        assert response.ok, f"{method} {path}: {response.status_code} {response.text[:500]}"
        return LiveStream(response)
