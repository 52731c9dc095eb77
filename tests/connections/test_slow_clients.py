"""Nobody waits for a client without an end, and those that hold requests back keep no place from others."""

import contextlib
import itertools
import socket
from collections.abc import Iterator

import pytest

from app.connections.client_socket import ClientSocket, WaitLimits
from app.connections.waiting_clients import WaitingClients
from tests.support.web_process import WebProcess, read_answer

GOOD = b"GET /api/system-features HTTP/1.1\r\nHost: desk\r\n\r\n"
LOGIN = b"POST /api/login HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"
BODY = LOGIN + b"Content-Length: 500000\r\n\r\n"
LONG = WaitLimits(head=60, idle=60, body=60, body_grace=60, body_rate=1, write=60)
# More than may wait, from addresses of which none has more than it may have.
HELD, ADDRESSES = 1_300, 4


@pytest.mark.parametrize(
    "begun",
    [
        b"GE",
        b"GET /api/site HTTP/1.1\r\nHost: desk\r\n",
        BODY + b"{",
        LOGIN + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["line", "headers", "body", "chunked body"],
)
def test_a_request_that_does_not_come_is_told_and_cut(web: WebProcess, begun: bytes) -> None:
    with web.connect() as connection:
        connection.sendall(begun)
        answer = read_answer(connection)
        assert answer is not None and (answer.status, answer.json()["code"]) == (408, "request_timeout")
        assert connection.recv(1) == b""


@pytest.mark.parametrize("begun", [b"", GOOD], ids=["at first", "after a request"])
def test_a_connection_that_nobody_uses_is_closed_without_a_word(web: WebProcess, begun: bytes) -> None:
    with web.connect() as connection:
        connection.sendall(begun)
        if begun:
            assert read_answer(connection) is not None
        assert connection.recv(1) == b""


def test_a_body_below_the_least_rate_is_cut(web: WebProcess) -> None:
    with web.connect() as connection:
        connection.sendall(BODY)
        sent = trickle(connection, b"x" * 100)
        answer = read_answer(connection)
    assert answer is not None and answer.status == 408
    assert sent < 500_000


def trickle(connection: socket.socket, piece: bytes) -> int:
    """Send a piece ten times a second until an answer begins; returns the bytes sent."""
    sent = 0
    connection.settimeout(0.1)
    while True:
        with contextlib.suppress(TimeoutError):
            connection.recv(1, socket.MSG_PEEK)
            connection.settimeout(20)
            return sent
        connection.sendall(piece)
        sent += len(piece)


def test_a_body_above_the_least_rate_ends_at_its_deadline(web: WebProcess) -> None:
    with web.connect() as connection:
        connection.sendall(BODY)
        sent = trickle(connection, b"x" * 4_000)
        answer = read_answer(connection)
    assert answer is not None and answer.status == 408
    # More than the least rate allows for the first half second alone.
    assert sent > 20_000


def test_an_answer_that_nobody_reads_is_given_up(web: WebProcess) -> None:
    with web.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.sendall(b"GET /api/swagger.json HTTP/1.1\r\nHost: desk\r\n\r\n" * 400)
        # The server closes while requests of this client lie unread, which its system tells by a reset.
        with pytest.raises(OSError):
            for _ in itertools.count():
                connection.sendall(GOOD)


@contextlib.contextmanager
def held(web: WebProcess, begun: bytes, count: int) -> Iterator[None]:
    """A time in which so many connections have sent only the beginning of a request."""
    with contextlib.ExitStack() as opened:
        for number in range(count):
            connection = opened.enter_context(web.connect(f"127.0.1.{number % ADDRESSES}"))
            with contextlib.suppress(OSError):
                connection.sendall(begun)
        yield


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\n", BODY], ids=["connections", "heads", "bodies"])
def test_held_requests_keep_no_place_from_others(web: WebProcess, begun: bytes) -> None:
    with held(web, begun, HELD):
        answer = web.send(GOOD)
    assert answer is not None and answer.status == 200


def test_an_address_has_only_so_many_connections(web: WebProcess) -> None:
    with contextlib.ExitStack() as opened:
        crowd = [opened.enter_context(web.connect("127.0.2.1")) for _ in range(401)]
        crowd[-1].sendall(b"GET /api/site HTTP/1.1\r\nHost: desk\r\nOrigin: https://page.example\r\n\r\n")
        refused, others = read_answer(crowd[-1]), web.send(GOOD)
    assert refused is not None and (refused.status, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["access-control-allow-origin"] == "https://page.example"
    assert others is not None and others.status == 200


class Line:
    """A connection of a client; notes whether it was cut."""

    def __init__(self, waiting: WaitingClients, peer: str) -> None:
        ours, self.theirs = socket.socketpair()
        self.ours = ClientSocket(ours, peer, LONG, waiting)

    @property
    def cut(self) -> bool:
        """Whether the server still listens: what is sent to it then fails."""
        try:
            self.theirs.send(b"x")
        except BrokenPipeError:
            return True
        return False


def test_the_oldest_of_the_address_with_most_connections_are_cut() -> None:
    waiting = WaitingClients(most=20)
    lone = [Line(waiting, f"10.0.0.{number}") for number in range(5)]
    crowd = [Line(waiting, "10.9.9.9") for _ in range(16)]
    for since, line in enumerate([*lone, *crowd]):
        waiting.enter(line.ours, since)
    assert [line.cut for line in lone] == [False] * 5
    assert [line.cut for line in crowd] == [True] * 10 + [False] * 6
    assert len(waiting) == 11


def test_whoever_waits_no_more_is_not_cut() -> None:
    waiting = WaitingClients(most=3)
    served = Line(waiting, "10.9.9.9")
    waiting.enter(served.ours, 0)
    waiting.leave(served.ours)
    waiting.leave(served.ours)
    for since in range(4):
        waiting.enter(Line(waiting, "10.9.9.9").ours, since)
    assert not served.cut
