"""A guarded client that trusts a test's servers, and what those servers do."""

import socket
import threading
from collections.abc import Callable

import pytest

from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.public_addresses import AllowedAddresses
from tests.support.raw_server import RawServer, read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
ENDLESS = b"HTTP/1.1 200 OK\r\n\r\n"
QUICK = Limits(connect=2, read=0.3, total=0.6, size=1000)


def trusting(*servers: RawServer) -> GuardedHttp:
    return GuardedHttp(AllowedAddresses([f"127.0.0.1:{server.port}" for server in servers]))


def url(server: RawServer, path: str = "/") -> str:
    return f"http://127.0.0.1:{server.port}{path}"


def redirect(location: str, status: int = 302, body: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def recorded(requests: list[bytes], answer: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        requests.append(read_request(connection))
        connection.sendall(answer)
        connection.close()

    return behave


def for_ever(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return behave


def drop_by_drop(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """Send a byte so often that no single wait is long."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        while not threading.Event().wait(0.05):
            connection.sendall(piece)

    return behave


def fetch(http: GuardedHttp, address: str, **options: object) -> bytes:
    with http.request("GET", address, **options) as answer:  # type: ignore[arg-type]
        return answer.read()


def answers(monkeypatch: pytest.MonkeyPatch, addresses: Callable[[str], list[str] | None]) -> None:
    """Make host names resolve to the addresses that a test names."""
    original = socket.getaddrinfo

    def look_up(host: str, port: int, **options: int) -> object:
        if options.get("flags"):
            return original(host, port, **options)  # type: ignore[arg-type]
        found = addresses(host)
        if found is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
