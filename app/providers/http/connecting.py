"""Opening a socket to a server: look up, connect, TLS. Every step ends at a time limit or by cancellation."""

import contextlib
import dataclasses
import errno
import functools
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from app.errors import ProviderTimeout
from app.providers.cancellation import Patience


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """Where to connect."""

    host: str
    port: int
    secure: bool


def connect(server: Server, patience: Patience, seconds: float) -> socket.socket:
    """A non-blocking socket, connected and with its TLS agreed. Raises OSError, Cancelled, ProviderTimeout."""
    until = time.monotonic() + seconds
    connected = connect_to(look_up(server.host, server.port, patience, seconds), patience, until)
    return _secure(connected, server.host, patience, until) if server.secure else connected


def connect_to(addresses: Sequence[Any], patience: Patience, until: float) -> socket.socket:
    """A non-blocking socket to the first address, of `look_up`'s, that answers in time. Raises as `connect`."""
    for number, (family, _, _, _, address) in enumerate(addresses):
        # A silent address must not eat up the time of those after it.
        share = (until - time.monotonic()) / (len(addresses) - number)
        try:
            return _connect(family, address, patience, share)
        except (OSError, ProviderTimeout):
            patience.cancellation.raise_if_cancelled()
            if number == len(addresses) - 1:
                raise
    raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def interrupt(connected: socket.socket) -> None:
    """Wake whoever waits for this socket. It is of no use afterwards."""
    # SSLSocket's own shutdown takes the TLS state away from under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


@contextlib.contextmanager
def _closed_on_failure(opening: socket.socket, patience: Patience) -> Iterator[None]:
    """Let a stop interrupt the block; close the socket if the block fails."""

    def wake() -> None:
        interrupt(opening)

    patience.cancellation.add(wake)
    try:
        yield
    except BaseException:
        patience.cancellation.remove(wake)
        opening.close()
        raise
    patience.cancellation.remove(wake)


def _connect(family: int, address: Any, patience: Patience, seconds: float) -> socket.socket:
    opening = socket.socket(family, socket.SOCK_STREAM)
    with _closed_on_failure(opening, patience):
        opening.setblocking(False)
        opening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = opening.connect_ex(address)
        if failure == errno.EINPROGRESS:
            patience.wait_for(opening, select.POLLOUT, seconds)
            failure = opening.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
    return opening


def _secure(connected: socket.socket, host: str, patience: Patience, until: float) -> ssl.SSLSocket:
    secured = tls_context().wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
    with _closed_on_failure(secured, patience):
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                patience.wait_for(secured, select.POLLIN, until - time.monotonic())
            except ssl.SSLWantWriteError:
                patience.wait_for(secured, select.POLLOUT, until - time.monotonic())


@functools.cache
def tls_context() -> ssl.SSLContext:
    """The system's certificate authorities; read once, for it takes milliseconds."""
    return ssl.create_default_context()


def look_up(host: str, port: int, patience: Patience, seconds: float) -> list[Any]:
    """The addresses of a host, as `getaddrinfo` gives them. Raises OSError, Cancelled, ProviderTimeout."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up_name(host, port, patience, seconds)


def _look_up_name(host: str, port: int, patience: Patience, seconds: float) -> list[Any]:
    """In a thread of its own, since nothing can interrupt a look-up."""
    finished = threading.Event()
    found: list[Any] = []
    failures: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failures.append(error)
        finally:
            finished.set()

    patience.cancellation.add(finished.set)
    try:
        limit = patience.remaining(seconds)
        threading.Thread(target=ask, name="name look-up", daemon=True).start()
        answered = finished.wait(limit)
    finally:
        patience.cancellation.remove(finished.set)
    patience.cancellation.raise_if_cancelled()
    if not answered:
        raise ProviderTimeout
    if failures:
        raise failures[0]
    return found
