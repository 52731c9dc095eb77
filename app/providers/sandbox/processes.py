"""Warm processes that run JavaScript and templates. One that hangs or dies is ended, and the next call gets a new one."""

import contextlib
import os
import pathlib
import select
import struct
import subprocess
import sys
import threading
import time
from typing import Any

import orjson

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.sandbox.failures import SandboxFailed

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
MOST_PROCESSES = max(2, os.cpu_count() or 2)
LARGEST_ANSWER = 16 * 1024 * 1024
ROOM_TO_START = 5.0
_STEP = 0.05


class Processes:
    """At most a few; callers wait for a free one."""

    def __init__(self) -> None:
        self._places = threading.Semaphore(MOST_PROCESSES)
        self._idle: list[_Process] = []
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, request: dict[str, Any], seconds: float, cancellation: Cancellation) -> Any:
        """The answer of a process. Raises SandboxFailed, Cancelled."""
        deadline = time.monotonic() + seconds
        self._wait_for_place(deadline, cancellation)
        process = None
        try:
            process = self._take_idle() or _Process()
            answer = process.ask(request, seconds, cancellation)
            with self._lock:
                if not self._closed:
                    self._idle.append(process)
                    process = None
        finally:
            if process is not None:
                process.kill()
            self._places.release()
        if "error" in answer:
            raise SandboxFailed(str(answer["error"]))
        return answer["value"]

    def close(self) -> None:
        """End the processes. One that is at work ends with its answer."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def _take_idle(self) -> "_Process | None":
        """One that waits and still lives."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                process.kill()
        return None

    def _wait_for_place(self, deadline: float, cancellation: Cancellation) -> None:
        while not self._places.acquire(timeout=_STEP):
            cancellation.raise_if_cancelled()
            if time.monotonic() > deadline:
                raise SandboxFailed("The sandbox is busy: the code did not get its turn in time.")


class _Process:
    def __init__(self) -> None:
        command = [sys.executable, "-I", "-S", "-c", _start_line()]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            bufsize=0,
        )
        self._fresh = True

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any], seconds: float, cancellation: Cancellation) -> dict[str, Any]:
        """Raises SandboxFailed, Cancelled: then the process is of no use any more."""
        deadline = time.monotonic() + seconds + (ROOM_TO_START if self._fresh else 0.0)
        self._fresh = False
        try:
            body = orjson.dumps(request | {"seconds": seconds}, option=orjson.OPT_NON_STR_KEYS, default=str)
        except (TypeError, ValueError) as wrong:
            raise SandboxFailed(f"The inputs cannot be passed on: {wrong}") from None
        # A thread of its own: a process that does not read must not hold us.
        writing = threading.Thread(target=self._write, args=(body,), daemon=True)
        writing.start()
        length = struct.unpack(">I", self._read(4, deadline, seconds, cancellation))[0]
        if length > LARGEST_ANSWER:
            raise SandboxFailed("What the code returned is too large.")
        answer: dict[str, Any] = orjson.loads(self._read(length, deadline, seconds, cancellation))
        return answer

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, body: bytes) -> None:
        assert self._process.stdin is not None
        message = memoryview(struct.pack(">I", len(body)) + body)
        with contextlib.suppress(OSError, ValueError):
            while message:
                message = message[self._process.stdin.write(message) or 0 :]

    def _read(self, count: int, deadline: float, seconds: float, cancellation: Cancellation) -> bytes:
        assert self._process.stdout is not None
        source = self._process.stdout.fileno()
        pieces = bytearray()
        # Not select(): a busy worker's descriptors go beyond its 1,024.
        poller = select.poll()
        poller.register(source, select.POLLIN)
        while len(pieces) < count:
            if cancellation.is_cancelled:
                raise Cancelled
            left = deadline - time.monotonic()
            if left <= 0:
                raise SandboxFailed(f"The code took longer than {seconds:g} seconds.")
            if not poller.poll(int(min(left, _STEP) * 1000) + 1):
                continue
            piece = os.read(source, min(count - len(pieces), 1 << 20))
            if not piece:
                raise SandboxFailed("The code was ended: it went over the limits of memory or depth.")
            pieces += piece
        return bytes(pieces)


def _start_line() -> str:
    """`-I -S` leaves out everything of the environment; the paths to the packages are put back by hand."""
    paths = [str(CHECKOUT), *(path for path in sys.path if path)]
    return f"import sys; sys.path[:] = {paths!r}; from app.providers.sandbox.child import main; main()"
