"""A server that sends exactly the bytes that a test names, at the times that it names."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from app.providers.models.chat_model import ChatModel
from app.providers.models.chat_types import ModelMessage
from app.providers.models.endpoint import Endpoint

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
QUESTION = [ModelMessage("user", "Hi")]

Behaviour = Callable[[socket.socket], None]


class RawServer:
    """Serves each connection by the next of its behaviours; the last one serves all that follow."""

    def __init__(self, *behaviours: Behaviour, host: str = "127.0.0.1", port: int = 0) -> None:
        self._behaviours = behaviours
        self._listener = socket.create_server((host, port))
        self._accepted: list[socket.socket] = []
        self.connections = 0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/v1"

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def model(self, *, connect_timeout: float = 2.0, read_timeout: float = 5.0) -> ChatModel:
        return ChatModel(Endpoint(self.base_url, connect_timeout=connect_timeout, read_timeout=read_timeout), "tiny")

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for accepted in (self._listener, *self._accepted):
            with contextlib.suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
            accepted.close()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            behaviour = self._behaviours[min(self.connections, len(self._behaviours) - 1)]
            self.connections += 1
            self._accepted.append(accepted)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._run, args=(behaviour, accepted), daemon=True).start()

    def _run(self, behaviour: Behaviour, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            behaviour(accepted)


def read_request(connection: socket.socket) -> bytes:
    """Read one whole request; empty if the client closed the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65_536)
        if not piece:
            return b""
        data += piece
    head, _, content = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(content) < length:
        content += connection.recv(65_536)
    return head + b"\r\n\r\n" + content


def say(*pieces: bytes, pause: Callable[[], None] | None = None) -> Behaviour:
    """Return a behaviour that answers every request with these pieces, and keeps the connection open."""

    def behave(connection: socket.socket) -> None:
        while read_request(connection):
            for piece in pieces:
                connection.sendall(piece)
                if pause is not None:
                    pause()

    return behave


def say_and_close(*pieces: bytes) -> Behaviour:
    """Return a behaviour that answers one request and then closes the connection."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"".join(pieces))
        connection.close()

    return behave


def hang(connection: socket.socket) -> None:
    """Read a request and never answer it."""
    read_request(connection)
    connection.recv(1)


def frame(text: str, finish: str | None = None) -> bytes:
    """Return a chunk of a chat completion as a server-sent event."""
    reason = f'"{finish}"' if finish else "null"
    return f'data: {{"choices":[{{"index":0,"delta":{{"content":"{text}"}},"finish_reason":{reason}}}]}}\n\n'.encode()


def chunked(*contents: bytes) -> bytes:
    """Encode contents as chunks, without the last chunk that ends a body."""
    return b"".join(b"%x\r\n%b\r\n" % (len(content), content) for content in contents)


DONE = b"data: [DONE]\n\n"
LAST = b"0\r\n\r\n"
ANSWER = CHUNKED + chunked(frame("Hel"), frame("lo"), frame("", "stop"), DONE) + LAST
