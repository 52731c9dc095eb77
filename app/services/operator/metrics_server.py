"""Serve /metrics on METRICS_PORT, also where no web server runs.

All processes of a host listen on the port, and the kernel gives each connection to one of them: any can answer for all,
and none is missed. Whoever connects has some seconds, and few are served at once.
"""

import hmac
import socket
import threading
import time
from typing import Self

import structlog
from flask import Flask

from app.metrics.exposition import CONTENT_TYPE
from app.services.operator.metrics_text import metrics_text

log = structlog.get_logger(__name__)

AT_ONCE = 4
SECONDS = 5.0
LARGEST_HEAD = 8_192
TEXT = "text/plain; charset=utf-8"


class MetricsServer:
    """Listens in a thread of its own (contract: app/streams/__init__.py). `token`: callers have to send it; "" none."""

    def __init__(self, app: Flask, host: str, port: int, token: str) -> None:
        self._app, self._address, self._token = app, (host.strip("[]"), port), token
        self._listener: socket.socket | None = None
        self._stopped = False
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._thread = threading.Thread(target=self._accept, name="metrics server", daemon=True)

    def start(self) -> Self:
        """Listen. A port that cannot be had is logged: the process has other work."""
        host, port = self._address
        if self._stopped:
            return self
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family, reuse_port=True)
        except OSError as problem:
            log.error("metrics.no_port", host=host, port=port, error=problem.strerror or str(problem))
            return self
        # Where sockets have a timeout by default, as in beat, waiting for a caller would be an error.
        self._listener.settimeout(None)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped = True
        listener, self._listener = self._listener, None
        if listener is not None:
            # Closing alone does not wake the thread.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            self._thread.join(SECONDS)

    def _accept(self) -> None:
        while (listener := self._listener) is not None:
            try:
                connection, _ = listener.accept()
            except OSError:
                # Stopped; or there are no descriptors left, which passes.
                if self._listener is not None:
                    time.sleep(0.1)
                continue
            if not self._free.acquire(timeout=SECONDS):
                connection.close()
                continue
            threading.Thread(target=self._serve, args=(connection,), name="scrape", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                head = _read_head(connection, time.monotonic() + SECONDS)
                if head is not None:
                    connection.settimeout(SECONDS)
                    connection.sendall(self._answer(head))
        except OSError:
            # The caller is gone.
            pass
        finally:
            self._free.release()

    def _answer(self, head: str) -> bytes:
        request, *lines = head.split("\r\n")
        method, _, target = request.partition(" ")
        path = target.partition(" ")[0].partition("?")[0]
        given = next((line for line in lines if line.lower().startswith("authorization:")), "")
        if method not in ("GET", "HEAD"):
            return _response("405 Method Not Allowed", TEXT, b"GET\n", "Allow: GET, HEAD\r\n")
        if path == "/livez":
            return _response("200 OK", TEXT, b"ok\n", whole=method == "GET")
        if path != "/metrics":
            return _response("404 Not Found", TEXT, b"/metrics\n", whole=method == "GET")
        if self._token and not is_token(given.partition(":")[2], self._token):
            return _response("401 Unauthorized", TEXT, b"METRICS_TOKEN\n", "WWW-Authenticate: Bearer\r\n")
        try:
            with self._app.app_context():
                content = metrics_text()
        except OSError as problem:
            log.error("metrics.not_read", error=problem.strerror or str(problem))
            return _response("503 Service Unavailable", TEXT, b"METRICS_DIR cannot be read\n")
        return _response("200 OK", CONTENT_TYPE, content, whole=method == "GET")


def is_token(header: str, token: str) -> bool:
    """Whether the value of an Authorization header is `Bearer` with this token; takes as long for any that is not."""
    kind, _, given = header.strip().partition(" ")
    return hmac.compare_digest(given.strip().encode(), token.encode()) and kind.lower() == "bearer"


def _read_head(connection: socket.socket, deadline: float) -> str | None:
    """Return the head of a request; None where it does not come whole in time, or is too large. Raises OSError."""
    data = b""
    while b"\r\n\r\n" not in data:
        connection.settimeout(max(0.001, deadline - time.monotonic()))
        piece = connection.recv(LARGEST_HEAD)
        data += piece
        if not piece or len(data) > LARGEST_HEAD:
            return None
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")


def _response(status: str, media_type: str, content: bytes, headers: str = "", *, whole: bool = True) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(content)}\r\n{headers}"
    return f"{head}Connection: close\r\n\r\n".encode() + (content if whole else b"")
