"""Connections to one model server, kept and used again. No socket here ever blocks but in `Patience`."""

import select
import socket
import ssl
import threading
import time

from app.errors import ProviderProtocolError
from app.providers.cancellation import Patience
from app.providers.http.connecting import interrupt
from app.providers.http.http_messages import BodyReader

RECEIVE_SIZE = 65_536
LARGEST_READ = 1_048_576
IDLE_SECONDS = 30.0
IDLE_CONNECTIONS = 128


class Connection:
    """One connected socket, used by one call at a time. `send` and `receive` raise OSError, Cancelled, ProviderTimeout."""

    def __init__(self, connected: socket.socket, patience: Patience) -> None:
        self._socket = connected
        self._secure = isinstance(connected, ssl.SSLSocket)
        self._unread: BodyReader | None = None
        self._released = 0.0
        self.reused = False
        self.begin(patience)

    def begin(self, patience: Patience) -> None:
        """Let a call's cancellation interrupt this connection, until `release` or `close`."""
        self._patience = patience
        self._attached = True
        patience.cancellation.add(self._interrupt)

    def send(self, data: bytes, seconds: float) -> None:
        unsent = memoryview(data)
        while unsent:
            try:
                unsent = unsent[self._socket.send(unsent) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._patience.wait_for(self._socket, select.POLLOUT, seconds)
            except ssl.SSLWantReadError:
                self._patience.wait_for(self._socket, select.POLLIN, seconds)

    def receive(self, seconds: float) -> bytes:
        """All that has arrived, waiting so long for the first of it; empty once the server has closed."""
        data = b""
        while len(data) < LARGEST_READ:
            try:
                piece = self._socket.recv(RECEIVE_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as blocked:
                if data:
                    break
                events = select.POLLOUT if isinstance(blocked, ssl.SSLWantWriteError) else select.POLLIN
                self._patience.wait_for(self._socket, events, seconds)
                continue
            data = data + piece if data else piece
            # TLS hands over one record at a time, however much has arrived.
            if not piece or (len(piece) < RECEIVE_SIZE and not self._secure):
                break
        self._patience.cancellation.raise_if_cancelled()
        return data

    def pause(self, seconds: float) -> None:
        """Leave what arrives where it is for a while. Raises Cancelled, ProviderTimeout."""
        self._patience.pause(self._socket, seconds)

    def release(self, unread: BodyReader) -> bool:
        """End the call, its answer's last bytes perhaps still on their way. False if a stop came first: then only close it."""
        self._detach()
        self._unread, self._released = unread, time.monotonic()
        return not self._patience.cancellation.is_cancelled

    def is_stale(self) -> bool:
        return time.monotonic() - self._released > IDLE_SECONDS

    def settle(self) -> bool:
        """Take what arrived since the release; whether the last answer is over and the server still there."""
        assert self._unread is not None
        self.reused = True
        try:
            while data := self._socket.recv(RECEIVE_SIZE):
                self._unread.feed(data)
        except (BlockingIOError, ssl.SSLWantReadError):
            return self._unread.complete and not self._unread.excess
        except (OSError, ProviderProtocolError):
            pass
        return False

    def close(self) -> None:
        self._detach()
        self._socket.close()

    def _detach(self) -> None:
        if self._attached:
            self._attached = False
            self._patience.cancellation.remove(self._interrupt)

    def _interrupt(self) -> None:
        interrupt(self._socket)


class ConnectionPool:
    """Connections between two calls, the last one used first. Shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Connection] = []

    def take(self) -> Connection | None:
        """A connection that was alive a moment ago, if there is one."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if not connection.is_stale() and connection.settle():
                return connection
            connection.close()

    def put(self, connection: Connection) -> None:
        """Keep a released connection, and drop those that nobody has wanted for long."""
        with self._lock:
            idle = self._idle
            unwanted = 0
            while unwanted < len(idle) and (len(idle) - unwanted >= IDLE_CONNECTIONS or idle[unwanted].is_stale()):
                unwanted += 1
            stale, self._idle = idle[:unwanted], [*idle[unwanted:], connection]
        for old in stale:
            old.close()

    def close(self) -> None:
        """Close the connections between two calls; one that is in a call is its caller's."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
