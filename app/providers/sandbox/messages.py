"""Exchange messages with a process of the sandbox: four bytes of length and JSON, within a deadline, until a stop."""

import os
import select
import struct
import time
from typing import Any

import orjson

from app.providers.cancellation import Cancellation

NO_START = "The sandbox for Python cannot be started."
LARGEST_RESULT = 16 * 1024 * 1024
_PIECE = 1 << 20
# How late a stop is noticed.
_POLL_SECONDS = 0.05


class SandboxFailed(Exception):
    """The author's code or template failed, or went over a limit; the text says which.

    `error`: the class of the exception that Python code ended with (MemoryError, TimeoutError: over a limit); "" where
    another language failed, or the sandbox itself.
    """

    def __init__(self, text: str, error: str = "") -> None:
        super().__init__(text)
        self.error = error


class Deadline:
    """When a call of code must have ended, and what stops it before: `seconds` of it, counted from now."""

    def __init__(self, seconds: float, cancellation: Cancellation, allowance: float = 0.0) -> None:
        """`allowance`: seconds more, for what is not the code's: the start of an interpreter."""
        self.seconds = seconds
        self.cancellation = cancellation
        self._end = time.monotonic() + seconds + allowance

    def left(self) -> float:
        """Return the seconds that are left. Raises SandboxFailed if none are, Cancelled."""
        self.cancellation.raise_if_cancelled()
        left = self._end - time.monotonic()
        if left <= 0:
            raise SandboxFailed(f"The code took longer than {self.seconds:g} seconds.", "TimeoutError")
        return left


class MessagePipe:
    """The worker's ends of the pipes, or of the socket, that lead to a process of the sandbox.

    The process may be at fault in any way: it may not read, not answer, or answer anything.
    """

    def __init__(self, source: int, sink: int) -> None:
        """`source`, `sink`: descriptors to read from and to write to; they become non-blocking. The caller closes."""
        self._source, self._sink = source, sink
        for descriptor in {source, sink}:
            os.set_blocking(descriptor, False)

    def send(self, message: dict[str, Any], deadline: Deadline) -> None:
        """Write a message. Raises SandboxFailed, Cancelled."""
        try:
            body = orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS, default=str)
        except (TypeError, ValueError) as problem:
            raise SandboxFailed(f"The inputs cannot be passed on as JSON: {problem}") from None
        self.send_bytes(body, deadline)

    def send_bytes(self, body: bytes, deadline: Deadline) -> None:
        """Write a message that is JSON already. Raises SandboxFailed, Cancelled."""
        left = memoryview(struct.pack(">I", len(body)) + body)
        while left:
            try:
                left = left[os.write(self._sink, left[:_PIECE]) :]
            except BlockingIOError:
                self._wait(self._sink, select.POLLOUT, deadline)
            except OSError:
                # It ended early, maybe with an answer: what it read was enough for it.
                return

    def receive(self, deadline: Deadline) -> bytes:
        """Return the next message, still as JSON. Raises SandboxFailed, Cancelled."""
        length = struct.unpack(">I", self._read(4, deadline))[0]
        if length > LARGEST_RESULT:
            raise SandboxFailed(f"The code returned more than {LARGEST_RESULT // 1024 // 1024} MB.")
        return self._read(length, deadline)

    def _read(self, count: int, deadline: Deadline) -> bytes:
        pieces = bytearray()
        while len(pieces) < count:
            try:
                piece = os.read(self._source, min(count - len(pieces), _PIECE))
            except BlockingIOError:
                self._wait(self._source, select.POLLIN, deadline)
                continue
            except OSError:
                piece = b""
            if not piece:
                raise SandboxFailed("The code was ended: it went over the limit of memory or nesting.", "MemoryError")
            pieces += piece
        return bytes(pieces)

    @staticmethod
    def _wait(descriptor: int, events: int, deadline: Deadline) -> None:
        # poll, not select: a busy worker's descriptors go beyond select's limit of 1,024.
        poller = select.poll()
        poller.register(descriptor, events)
        while not poller.poll(int(min(deadline.left(), _POLL_SECONDS) * 1000) + 1):
            pass
