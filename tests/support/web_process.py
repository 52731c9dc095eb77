"""A web server alone, as operators run it, on the servers of the tests; and raw requests to it."""

import contextlib
import json
import os
import pathlib
import socket
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import psutil
import requests

from app.embedded.ports import ReservedPort
from tests.support.child import Child
from tests.support.paths import PROJECT

START_SECONDS = 120
ANSWER_SECONDS = 20


class RawAnswer(NamedTuple):
    """One HTTP response, as it came."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class WebProcess:
    """gunicorn with the project's settings, one worker, and the settings that a test names."""

    def __init__(self, directory: pathlib.Path, settings: Mapping[str, str]) -> None:
        self._port = ReservedPort()
        self._log = directory / "web.log"
        self._settings = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self._settings |= {"WEB_WORKERS": "1", **settings, "PORT": str(self._port)}
        self._child: Child | None = None

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", int(str(self._port))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:app.web_server", "wsgi:app"]
        self._child = Child("web", command, self._settings, self._log, PROJECT)
        ends = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(requests.RequestException):
                requests.get(self.base_url + "/api/system-features", timeout=5)
                return self
            assert self._child.alive and time.monotonic() < ends, self._child.tail()
            time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            self._child.stop()
        self._port.release()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def memory(self) -> int:
        """The bytes of its workers' memory."""
        assert self._child is not None
        return sum(worker.memory_info().rss for worker in psutil.Process(self._child.pid).children())

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        """A connection from an address of this machine."""
        return socket.create_connection(self.address, ANSWER_SECONDS, source_address=(source, 0))

    def send(self, *pieces: bytes, ends: bool = False) -> RawAnswer | None:
        """Send these bytes, and nothing more if `ends`; returns the answer, None where there is none."""
        with self.connect() as connection:
            with contextlib.suppress(OSError):
                for piece in pieces:
                    connection.sendall(piece)
                if ends:
                    connection.shutdown(socket.SHUT_WR)
            return read_answer(connection)


def read_answer(connection: socket.socket) -> RawAnswer | None:
    """Return the next final response on a connection; None where it closes without one."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while True:
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65_536)
                if not piece:
                    return None
                data += piece
            head, _, body = data.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split()[1])
            if status != 100:
                break
            data = body
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        length = int(headers.get("content-length", 0))
        while len(body) < length:
            piece = connection.recv(65_536)
            assert piece, "the answer is cut off"
            body += piece
        return RawAnswer(status, headers, body[:length])
    return None
