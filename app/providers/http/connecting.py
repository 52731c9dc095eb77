"""Open a socket to a server: look up its name, connect, agree on TLS. Every step ends in time or when cancelled."""

import contextlib
import dataclasses
import errno
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from app.errors import ProviderTimeout
from app.providers.cancellation import CancelScope
from app.providers.http.outgoing import Proxy, tls_context
from app.providers.http.tunnels import open_tunnel


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """Host, port and whether to speak TLS: what connections are made to.

    `proxy`: the proxy in between, None for none; `ca_files`: authorities beside the system's.
    """

    host: str
    port: int
    secure: bool
    proxy: Proxy | None = None
    ca_files: tuple[str, ...] = ()


def connect(server: Server, scope: CancelScope, seconds: float) -> socket.socket:
    """Return a non-blocking socket, connected and with its TLS agreed. Raises OSError, Cancelled, ProviderTimeout.

    Without TLS a socket through a proxy is one to the proxy: requests name the whole URL then.
    """
    deadline = time.monotonic() + seconds
    if server.proxy is not None:
        connected = connect_through(server.proxy, server.host, server.port, server.secure, scope, seconds)
    else:
        connected = connect_to(look_up(server.host, server.port, scope, seconds), scope, deadline)
    return _secure(connected, server, scope, deadline) if server.secure else connected


def connect_through(
    proxy: Proxy, host: str, port: int, secure: bool, scope: CancelScope, seconds: float
) -> socket.socket:
    """Return a non-blocking socket to a proxy, `secure`: with a tunnel through it to a server. Raises as `connect`."""
    deadline = time.monotonic() + seconds
    connected = connect_to(look_up(proxy.host, proxy.port, scope, seconds), scope, deadline)
    if secure:
        with _closed_on_failure(connected, scope):
            open_tunnel(connected, proxy, host, port, scope, deadline)
    return connected


def connect_to(addresses: Sequence[Any], scope: CancelScope, deadline: float) -> socket.socket:
    """Return a non-blocking socket to the first of the addresses that answers; the deadline is in monotonic seconds.

    The addresses are those that `look_up` returns. Raises as `connect`.
    """
    for number, (family, _, _, _, address) in enumerate(addresses):
        # Each address gets an equal share of the time left: a silent one must not use up the time of those after it.
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        try:
            return _connect(family, address, scope, share)
        except (OSError, ProviderTimeout):
            # A stop shuts the socket, which looks like a failure of this address.
            scope.cancellation.raise_if_cancelled()
            if number == len(addresses) - 1:
                raise
    raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))


def interrupt(connected: socket.socket) -> None:
    """Wake the thread that waits for this socket by shutting it down; only closing it remains."""
    # SSLSocket's own shutdown takes the TLS state away from under the thread that reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


@contextlib.contextmanager
def _closed_on_failure(opening: socket.socket, scope: CancelScope) -> Iterator[None]:
    """Let a stop interrupt the block, and close the socket if the block fails."""

    def wake() -> None:
        interrupt(opening)

    scope.cancellation.add(wake)
    try:
        yield
    except BaseException:
        scope.cancellation.remove(wake)
        opening.close()
        raise
    scope.cancellation.remove(wake)


def _connect(family: int, address: Any, scope: CancelScope, seconds: float) -> socket.socket:
    opening = socket.socket(family, socket.SOCK_STREAM)
    with _closed_on_failure(opening, scope):
        opening.setblocking(False)
        opening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        failure = opening.connect_ex(address)
        if failure == errno.EINPROGRESS:
            scope.wait_for(opening, select.POLLOUT, seconds)
            failure = opening.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            raise OSError(failure, os.strerror(failure))
    return opening


def _secure(connected: socket.socket, server: Server, scope: CancelScope, deadline: float) -> ssl.SSLSocket:
    context = tls_context(server.ca_files)
    secured = context.wrap_socket(connected, server_hostname=server.host, do_handshake_on_connect=False)
    with _closed_on_failure(secured, scope):
        while True:
            try:
                secured.do_handshake()
                return secured
            except ssl.SSLWantReadError:
                scope.wait_for(secured, select.POLLIN, deadline - time.monotonic())
            except ssl.SSLWantWriteError:
                scope.wait_for(secured, select.POLLOUT, deadline - time.monotonic())


def look_up(host: str, port: int, scope: CancelScope, seconds: float) -> list[Any]:
    """Return the addresses of a host, as `getaddrinfo` does. Raises OSError, Cancelled, ProviderTimeout."""
    try:
        # A numeric address needs no name server, and so no thread.
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return _look_up_name(host, port, scope, seconds)


def _look_up_name(host: str, port: int, scope: CancelScope, seconds: float) -> list[Any]:
    """Ask the name server in a thread of its own: nothing can interrupt `getaddrinfo`, a slow one is left to itself."""
    finished = threading.Event()
    addresses: list[Any] = []
    failures: list[OSError] = []

    def resolve() -> None:
        try:
            addresses.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            failures.append(error)
        finally:
            finished.set()

    scope.cancellation.add(finished.set)
    try:
        limit = scope.remaining(seconds)
        threading.Thread(target=resolve, name="name look-up", daemon=True).start()
        answered = finished.wait(limit)
    finally:
        scope.cancellation.remove(finished.set)
    scope.cancellation.raise_if_cancelled()
    if not answered:
        raise ProviderTimeout
    if failures:
        raise failures[0]
    return addresses
