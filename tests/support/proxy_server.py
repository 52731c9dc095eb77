"""An HTTP proxy of the tests: it counts its connections and remembers what it was asked for.

It looks every name up itself: whatever the host, it connects to the port of this machine that the request names. So a
test's server can be asked for by a name that nobody else knows.
"""

import contextlib
import functools
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.support.raw_server import read_request


class ProxyServer:
    """Speaks CONNECT and whole URLs. `credentials`: the Basic value that it demands; `refusal`: its only answer."""

    def __init__(self, credentials: str = "", refusal: bytes = b"") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._credentials, self._refusal = credentials, refusal
        self._sockets: list[socket.socket] = []
        self.connections = 0
        self.requests: list[str] = []
        self.heads: list[bytes] = []

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _serve(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(accepted)
            self._start(functools.partial(self._attend, accepted))

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            with contextlib.suppress(OSError, ValueError):
                work()

        threading.Thread(target=run, daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        while request := read_request(client):
            head = request.partition(b"\r\n\r\n")[0]
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            self.requests.append(f"{method} {target}")
            self.heads.append(head)
            if self._refusal or (self._credentials and f"Basic {self._credentials}".encode() not in head):
                client.sendall(self._refusal or b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n")
                continue
            place = target if method == "CONNECT" else target.removeprefix("http://").partition("/")[0]
            # Without `create_connection`, whose look-ups some tests replace.
            server = socket.socket()
            server.connect(("127.0.0.1", int(place.rpartition(":")[2])))
            self._sockets.append(server)
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                server.sendall(request.replace(f"http://{place}".encode(), b"", 1))
            self._start(functools.partial(_copy, server, client))
            if method == "CONNECT":
                _copy(client, server)
                return


def _copy(source: socket.socket, target: socket.socket) -> None:
    while piece := source.recv(65_536):
        target.sendall(piece)
    target.shutdown(socket.SHUT_WR)
