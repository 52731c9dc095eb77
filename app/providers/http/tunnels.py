"""Ask an HTTP proxy for a tunnel to a server (CONNECT, RFC 9110 §9.3.6)."""

import select
import socket
import time

from app.errors import ProviderProtocolError
from app.providers.cancellation import CancelScope
from app.providers.http.http_messages import LARGEST_HEAD, parse_head
from app.providers.http.outgoing import Proxy


class TunnelRefused(OSError):
    """A proxy opened no tunnel; the text says what it answered, for the operator."""


def open_tunnel(
    connected: socket.socket, proxy: Proxy, host: str, port: int, scope: CancelScope, deadline: float
) -> None:
    """Make a non-blocking socket to a proxy one to a server behind it; the deadline is in monotonic seconds.

    Raises TunnelRefused, OSError, Cancelled, ProviderTimeout.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    unsent = memoryview(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n{proxy.header}\r\n".encode())
    while unsent:
        scope.wait_for(connected, select.POLLOUT, deadline - time.monotonic())
        unsent = unsent[connected.send(unsent) :]
    answer = b""
    # The server behind the proxy says nothing before we do: no byte after the head is lost.
    while b"\r\n\r\n" not in answer:
        scope.wait_for(connected, select.POLLIN, deadline - time.monotonic())
        piece = connected.recv(4096)
        answer += piece
        if not piece or len(answer) > LARGEST_HEAD:
            raise TunnelRefused(f"the proxy {proxy.host}:{proxy.port} opened no tunnel")
    try:
        status = parse_head(answer.partition(b"\r\n\r\n")[0]).status
    except ProviderProtocolError:
        raise TunnelRefused(f"the proxy {proxy.host}:{proxy.port} does not speak HTTP") from None
    if not 200 <= status < 300:
        raise TunnelRefused(f"the proxy {proxy.host}:{proxy.port} answered {status}")
