"""Measure what others wait for while one address holds thousands of requests back: heads, bodies, answers unread.

python -m tests.bench.held_requests [--connections 4000] [--seconds 10] [--web-workers 1]
"""

import argparse
import contextlib
import multiprocessing
import pathlib
import resource
import selectors
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import requests

from tests.support.stack import CHAT_APP, Stack, stop_on_signals

HOST = "127.0.0.1"
LEAST_SECONDS = 0.05
# Connections that are opened in one go, and how many a second replace those that were cut.
AT_ONCE, AGAIN = 200, 200
HEAD = b"Host: desk\r\nContent-Type: application/json\r\n"
KINDS: dict[str, bytes] = {
    "bodies": b"POST /api/login HTTP/1.1\r\n" + HEAD + b'Content-Length: 500\r\n\r\n{"email": ',
    "chunked bodies": b"POST /api/login HTTP/1.1\r\n" + HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"ema\r\n',
    "heads": b"POST /api/login HTTP/1.1\r\n" + HEAD,
    "connections": b"",
    "answers": b"GET /api/swagger.json HTTP/1.1\r\nHost: desk\r\n\r\n" * 40,
}


class Attack:
    """Opens connections of one kind at once, and sends one more byte a second on each; opens cut ones again."""

    def __init__(self, port: int, kind: str, connections: int) -> None:
        self._port = port
        self._kind = kind
        self._connections = connections
        self._selector = selectors.DefaultSelector()
        self._open: set[socket.socket] = set()
        self.opened = 0
        self.cut = 0

    def run(self, stopped: Any) -> None:
        """Go on until the event is set."""
        began = trickled = time.monotonic()
        while not stopped.is_set():
            allowed = self._connections + AGAIN * (time.monotonic() - began)
            for _ in range(min(AT_ONCE, self._connections - len(self._open), int(allowed) - self.opened)):
                self._begin()
            for key, _ in self._selector.select(0.02):
                self._look(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
            if time.monotonic() > trickled + 1:
                trickled = time.monotonic()
                self._trickle()
        print(f"{'':16} opened {self.opened}, cut {self.cut}", flush=True)

    def _begin(self) -> None:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        held.settimeout(1)
        try:
            held.connect((HOST, self._port))
            held.sendall(KINDS[self._kind])
        except OSError:
            held.close()
            return
        held.setblocking(False)
        self.opened += 1
        self._open.add(held)
        if self._kind != "answers":
            self._selector.register(held, selectors.EVENT_READ)

    def _look(self, held: socket.socket) -> None:
        try:
            ended = not held.recv(65_536)
        except OSError:
            ended = True
        if ended:
            self._end(held)

    def _trickle(self) -> None:
        for held in list(self._open):
            try:
                held.send(b"x")
            except BlockingIOError:
                pass
            except OSError:
                self._end(held)

    def _end(self, held: socket.socket) -> None:
        self.cut += 1
        if self._kind != "answers":
            self._selector.unregister(held)
        self._open.discard(held)
        held.close()


@contextlib.contextmanager
def attacked(port: int, kind: str, connections: int) -> Iterator[None]:
    """A time in which a process of its own attacks."""
    context = multiprocessing.get_context("spawn")
    stopped = context.Event()
    process = context.Process(target=attack, args=(port, kind, connections, stopped))
    process.start()
    try:
        yield
    finally:
        stopped.set()
        process.join()


def attack(port: int, kind: str, connections: int, stopped: Any) -> None:
    """Attack until the event is set."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    Attack(port, kind, connections).run(stopped)


def ask_for(base: str, seconds: float) -> list[float]:
    """Ask without a passport, on a new connection each time; returns the seconds that each answer took."""
    waits, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            answer = requests.get(base + "/api/passport", headers={"X-App-Code": "chat"}, timeout=20)
            assert answer.status_code == 200, answer.text
            waits.append(time.monotonic() - began)
        except requests.RequestException:
            waits.append(float("inf"))
        time.sleep(LEAST_SECONDS)
    return waits


def memory_of(pid: int) -> float:
    """Return the memory of a web server's workers, in MiB."""
    return sum(child.memory_info().rss for child in psutil.Process(pid).children()) / 1_048_576


def measure(label: str, stack: Stack, ask: Callable[[], list[float]]) -> None:
    """Print how long others waited, and the memory after it."""
    waits = ask()
    assert stack.web is not None
    print(
        f"{label:16} median {statistics.median(waits) * 1000:6.0f} ms   longest {max(waits) * 1000:6.0f} ms   "
        f"answers {len(waits):4}   web workers {memory_of(stack.web.pid):5.0f} MiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--connections", type=int, default=4_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--web-workers", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS)
    options = parser.parse_args()
    stop_on_signals()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = {"WEB_APP_AUTH": "on", "LOG_LEVEL": "WARNING"}
        with Stack(pathlib.Path(folder), options.web_workers, 1, environment=settings) as stack:
            stack.import_app(CHAT_APP, "chat")
            measure("nobody", stack, lambda: ask_for(stack.base_url, options.seconds))
            for kind in options.kinds:
                with attacked(int(str(stack.port)), kind, options.connections):
                    measure(kind, stack, lambda: ask_for(stack.base_url, options.seconds))
                measure("afterwards", stack, lambda: ask_for(stack.base_url, 2))


if __name__ == "__main__":
    main()
