"""A client's connection, on which every wait has an end.

A wait is for the head of a request, for its body, or for a client that has to read before more can be written. Each has
a deadline; bodies also have a least rate. Only the time spent waiting for the client counts, not our own.
"""

import contextlib
import socket
import time
from typing import NamedTuple, Protocol

PIECE = 65_536
# The most of a head. Passports, cookies and long query strings take a few KiB.
LARGEST_HEAD = 65_536


class WaitLimits(NamedTuple):
    """How long a client may let us wait, in seconds; `body_rate` in bytes per second."""

    head: float
    idle: float
    body: float
    body_grace: float
    body_rate: float
    write: float


class ClientTooSlow(TimeoutError):
    """The client let us wait too long, or others need its place."""


class HeadTooLarge(Exception):
    """The head of a request is larger than LARGEST_HEAD."""


class WaitingList(Protocol):
    """Where connections are noted while they wait for their clients."""

    def enter(self, connection: "ClientSocket", since: float) -> None:
        """Note a connection."""

    def leave(self, connection: "ClientSocket") -> None:
        """Forget a connection; safe to call for one that is not noted."""


class ClientSocket:
    """Reads from and writes to a client within limits; has the methods of a socket that gunicorn calls.

    Reading raises ClientTooSlow and HeadTooLarge, writing raises ClientTooSlow; both raise other OSErrors, too.
    """

    def __init__(self, connection: socket.socket, peer: str, limits: WaitLimits, waiting: WaitingList) -> None:
        self.peer = peer
        self.head = bytearray()
        self._socket = connection
        self._limits = limits
        self._waiting = waiting
        self._cut = False
        self._writes = False
        self._reads_head = True
        self._left = limits.head
        self._began = time.monotonic()
        self._body_bytes = 0
        self._body_wait = 0.0
        self._body_most = limits.body

    def expect_head(self, first: bool) -> None:
        """Begin to wait for a request: for its head at once, or, after an earlier one, for its beginning first."""
        self.head.clear()
        self._reads_head = True
        self._left = self._limits.head if first else self._limits.idle
        self._began = time.monotonic()

    def expect_body(self) -> None:
        """Begin to wait for the body of a request whose head is complete."""
        self.head.clear()
        self._reads_head = False
        self._body_bytes, self._body_wait = 0, 0.0
        self._body_most = self._limits.body
        self._began = time.monotonic()

    def expect_rest(self, seconds: float) -> None:
        """Wait only so long for what is left of the body."""
        self._body_most = min(self._body_most, self._body_wait + seconds)

    def read_whole_head(self, seconds: float) -> None:
        """Read what else comes of a head that cannot be parsed, so that it can be searched."""
        if not self._reads_head:
            return
        self._left = seconds
        try:
            while b"\r\n\r\n" not in self.head and self.recv(PIECE):
                pass
        except (OSError, HeadTooLarge):
            # What has come is all there is.
            pass

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Return what the client sent next; empty where it closed the connection."""
        allowed = self._left if self._reads_head else self._body_time()
        began = time.monotonic()
        data = self._receive(size, flags, allowed)
        waited = time.monotonic() - began
        if self._reads_head:
            # The first byte of a request ends the idle time.
            self._left = self._left - waited if self.head else min(self._left, self._limits.head)
            self.head += data
            if len(self.head) > LARGEST_HEAD:
                raise HeadTooLarge
        else:
            self._body_wait += waited
            self._body_bytes += len(data)
        return data

    def _body_time(self) -> float:
        """Return how long the client may let us wait for more of the body."""
        paid = self._limits.body_grace + self._body_bytes / self._limits.body_rate
        return min(paid, self._body_most) - self._body_wait

    def _receive(self, size: int, flags: int, allowed: float) -> bytes:
        self._raise_if_cut()
        if allowed <= 0:
            raise ClientTooSlow
        self._waiting.enter(self, self._began)
        self._socket.settimeout(allowed)
        try:
            data = self._socket.recv(size, flags)
        except TimeoutError:
            data = self._received_meanwhile(size, flags)
        finally:
            self._waiting.leave(self)
        if not data:
            self._raise_if_cut()
        return data

    def _received_meanwhile(self, size: int, flags: int) -> bytes:
        """Return what has come although the time is over: it was this process that was late."""
        self._socket.settimeout(0)
        try:
            return self._socket.recv(size, flags)
        except BlockingIOError:
            raise ClientTooSlow from None

    def _raise_if_cut(self) -> None:
        if self._cut:
            raise ClientTooSlow

    def send(self, data: bytes | memoryview) -> int:
        """Send the beginning of the data; returns how many bytes."""
        self._raise_if_cut()
        self._writes = True
        self._waiting.enter(self, time.monotonic())
        self._socket.settimeout(self._limits.write)
        try:
            return self._socket.send(data)
        except TimeoutError:
            raise ClientTooSlow from None
        finally:
            self._waiting.leave(self)
            self._writes = False

    def sendall(self, data: bytes, flags: int = 0) -> None:
        """Send the data. Every piece has a deadline of its own: the client must go on reading."""
        rest = memoryview(data)
        while rest:
            rest = rest[self.send(rest[:PIECE]) :]

    def cut(self) -> None:
        """End the wait for this client. Called by other greenlets."""
        self._cut = True
        # It may have closed the connection meanwhile.
        with contextlib.suppress(OSError):
            # One whose request was not complete can still be told why.
            self._socket.shutdown(socket.SHUT_RDWR if self._writes else socket.SHUT_RD)

    def finish(self, seconds: float) -> None:
        """End the answer, and read on for a moment: data that nobody reads would make the client lose the answer."""
        ends = time.monotonic() + seconds
        self._waiting.enter(self, time.monotonic())
        try:
            self._socket.shutdown(socket.SHUT_WR)
            while not self._cut and (left := ends - time.monotonic()) > 0:
                self._socket.settimeout(left)
                if not self._socket.recv(PIECE):
                    break
        except OSError:
            # The client is gone, or sends on: there is nothing more to do for it.
            pass
        finally:
            self._waiting.leave(self)

    def shutdown(self, how: int) -> None:
        """End one direction of the connection, or both."""
        self._socket.shutdown(how)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
