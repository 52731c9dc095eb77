"""An OpenAI-compatible model server whose every answer a test decides.

In the same process a test says it by `script()`, from elsewhere by markers.
Markers stand in the last user message: [[chunks:N]] [[delay:MS]] [[say:TEXT]] [[echo]] [[fail:STATUS]] [[fail-after:N]]
[[cut:N]] [[garbage:N]] [[error-frame:N]] [[hang]] [[hang-after:N]] [[call:TOOL {"argument": …}]].
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tests.support.scripted_model.behaviour import Behaviour, error_name, numbered
from tests.support.scripted_model.recording import RecordedRequest
from tests.support.scripted_model.server import Connection, State
from tests.support.scripted_model.vectors import DIMENSIONS
from tests.support.scripted_model.wheel import TimerWheel

__all__ = ["RecordedRequest", "ScriptedModel"]
BACKLOG = 4096


class ScriptedModel:
    """The server in a thread of its own. Without a script or markers it answers "tok0 tok1 …" of so many chunks."""

    def __init__(self, chunks: int = 3, delay: float = 0.0, port: int = 0, host: str = "127.0.0.1") -> None:
        self._state = State(Behaviour(numbered(chunks), delay=delay))
        self._socket = socket.create_server((host, port), backlog=BACKLOG)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="scripted-model", daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The generations asked for so far, oldest first."""
        return list(self._state.requests)

    @property
    def audio_requests(self) -> list[RecordedRequest]:
        """What it was asked to say or to hear so far, oldest first."""
        return list(self._state.audio_requests)

    @property
    def vector_requests(self) -> list[RecordedRequest]:
        """What it was asked to embed or to rerank so far, oldest first."""
        return list(self._state.vector_requests)

    def embed_with(self, dimensions: int) -> None:
        """Give vectors of so many dimensions from now on."""
        self._state.dimensions = dimensions

    def script_vectors(self, *errors: str | None, hang: bool = False) -> None:
        """What the next requests to embed or rerank get: a key of ERRORS, `nonsense`, or None for the usual answer."""
        for error in errors:
            self._state.vector_scripts.append(
                None if error is None else Behaviour((), error=None if error == "nonsense" else error)
            )
        if hang:
            self._state.vector_scripts.append(Behaviour((), hang=True))

    def script(
        self,
        *chunks: str,
        delay: float | None = None,
        status: int = 200,
        error: str | None = None,
        tool_calls: Sequence[tuple[str, dict[str, Any] | str]] = (),
        **behaviour: Any,
    ) -> None:
        """Say what the next request that has no script yet gets. Further names are the fields of Behaviour.

        An `error` is a key of ERRORS, a `status` the usual error of that status; with chunks before it, it comes in
        mid-stream.
        """
        failing = error or (error_name(str(status)) if status != 200 else None)
        if failing is not None and chunks:
            behaviour |= {"error_frame_after": len(chunks), "frame_error": failing}
        elif failing is not None:
            behaviour["error"] = failing
        default = self._state.default
        pace = default.delay if delay is None else delay
        calls = tuple(
            (name, arguments if isinstance(arguments, str) else json.dumps(arguments)) for name, arguments in tool_calls
        )
        said = chunks if chunks or calls else default.chunks
        self._state.scripted.append(Behaviour(said, delay=pace, tool_calls=calls, **behaviour))

    def reset(self) -> None:
        """Forget scripts and requests."""
        self._state.scripted.clear()
        self._state.requests.clear()
        self._state.audio_requests.clear()
        self._state.vector_requests.clear()
        self._state.vector_scripts.clear()
        self._state.dimensions = DIMENSIONS

    def wait_for(self, condition: Callable[[Self], bool], seconds: float = 5.0) -> None:
        """Wait until something holds for the requests. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while not condition(self):
            if time.monotonic() > deadline:
                raise TimeoutError(f"still not so after {seconds} s; requests: {self.requests}")
            time.sleep(0.002)

    def start(self) -> Self:
        # Before the thread: a stop at once would end the loop before the port is open.
        self._listen()
        self._thread.start()
        return self

    def stop(self) -> None:
        """Drop every connection and close the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._socket.close()

    def serve_forever(self) -> None:
        """Serve in the calling thread, until interrupted."""
        self._listen()
        self._serve()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> None:
        loop = self._loop
        self._state.wheel = TimerWheel(loop)
        listening = loop.create_server(lambda: Connection(self._state, loop), sock=self._socket, backlog=BACKLOG)
        self._server = loop.run_until_complete(listening)

    def _serve(self) -> None:
        loop = self._loop
        try:
            loop.run_forever()
        finally:
            self._server.close()
            for connection in list(self._state.connections):
                connection.close()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
