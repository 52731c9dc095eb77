"""Connections to one model server, kept between calls and used again.

The sockets are non-blocking: all waiting is done by the call's CancelScope, so that it ends in time or when cancelled.
"""

import select
import socket
import ssl
import threading
import time

from app.errors import ProviderProtocolError
from app.providers.cancellation import CancelScope
from app.providers.http.connecting import interrupt
from app.providers.http.http_messages import BodyReader

RECEIVE_SIZE = 65_536
LARGEST_READ = 1_048_576
IDLE_SECONDS = 30.0
IDLE_CONNECTIONS = 128


class Connection:
    """One connected socket, used by one call at a time.

    `send` and `receive` raise OSError, Cancelled, ProviderTimeout.
    """

    def __init__(self, connected: socket.socket, scope: CancelScope) -> None:
        self._socket = connected
        self._secure = isinstance(connected, ssl.SSLSocket)
        self._unread: BodyReader | None = None
        self._released = 0.0
        self.begin(scope)

    def begin(self, scope: CancelScope) -> None:
        """Let a call's cancellation interrupt this connection, until `release` or `close`."""
        self._scope = scope
        self._attached = True
        scope.cancellation.add(self._interrupt)

    def send(self, data: bytes, seconds: float) -> None:
        """Send all of the data; each wait for the server takes at most so many seconds."""
        unsent = memoryview(data)
        while unsent:
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._scope.wait_for(self._socket, select.POLLOUT, seconds)
            except ssl.SSLWantReadError:
                self._scope.wait_for(self._socket, select.POLLIN, seconds)

    def receive(self, seconds: float) -> bytes:
        """Return all that has arrived, empty once the server has closed; waits at most so long for the first byte.

        One call takes up to LARGEST_READ bytes: whatever piled up during a pause is handed over in one piece.
        """
        data = b""
        while len(data) < LARGEST_READ:
            try:
                piece = self._socket.recv(RECEIVE_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as blocked:
                if data:
                    break
                events = select.POLLOUT if isinstance(blocked, ssl.SSLWantWriteError) else select.POLLIN
                self._scope.wait_for(self._socket, events, seconds)
                continue
            data = data + piece if data else piece
            # A short read means that a plain socket is empty. TLS returns one record at a time, however much arrived.
            if not piece or (len(piece) < RECEIVE_SIZE and not self._secure):
                break
        self._scope.cancellation.raise_if_cancelled()
        return data

    def pause(self, seconds: float) -> None:
        """Read nothing for so many seconds; what arrives stays in the socket. Raises Cancelled, ProviderTimeout."""
        self._scope.pause(self._socket, seconds)

    def release(self, unread: BodyReader) -> bool:
        """End the call; `unread` is the reader of a body whose last bytes may still arrive.

        Returns False if a stop has shut the socket: then the connection can only be closed.
        """
        # A model's stream ends for us at `[DONE]`; the bytes that close the body often come a moment later. Waiting for
        # them would cost each call that moment, so that the next user of the connection reads them, in `drain`.
        self._detach()
        self._unread, self._released = unread, time.monotonic()
        return not self._scope.cancellation.is_cancelled

    def is_stale(self) -> bool:
        """Whether the connection has been idle for so long that the server may have dropped it."""
        return time.monotonic() - self._released > IDLE_SECONDS

    def drain(self) -> bool:
        """Read what arrived since the release, and tell whether the connection is fit for another call.

        It is if the last body is complete, nothing came after it, and the server has not closed the connection.
        """
        assert self._unread is not None
        try:
            while data := self._socket.recv(RECEIVE_SIZE):
                self._unread.feed(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return self._unread.complete and not self._unread.excess
        except (OSError, ProviderProtocolError):
            pass  # closed or broken, as an empty read says too
        return False

    def close(self) -> None:
        """Close the socket. May be called twice."""
        self._detach()
        self._socket.close()

    def _detach(self) -> None:
        if self._attached:
            self._attached = False
            self._scope.cancellation.remove(self._interrupt)

    def _interrupt(self) -> None:
        interrupt(self._socket)


class ConnectionPool:
    """The idle connections to one server. Shared by all threads.

    The most recently used is taken first, so that under a falling load the others grow stale and are closed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def take(self) -> Connection | None:
        """Take out an idle connection that is fit for a call; None if there is none."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not connection.is_stale() and connection.drain():
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keep a released connection, and close those that are stale or too many."""
        with self._lock:
            idle = self._idle
            # The list is ordered by the time of release: the first are the oldest.
            count = 0
            while count < len(idle) and (len(idle) - count >= IDLE_CONNECTIONS or idle[count].is_stale()):
                count += 1
            expired, self._idle = idle[:count], [*idle[count:], connection]
        # Outside the lock, for closing a TLS connection writes to its socket.
        for old in expired:
            old.close()

    def close(self) -> None:
        """Close the connections between two calls; one that is in a call is its caller's."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
