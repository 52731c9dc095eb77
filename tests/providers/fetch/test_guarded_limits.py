"""Guarded requests: limits of time and size, and stops."""

import contextlib
import gzip
import socket
import ssl
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
import trustme
from urllib3.exceptions import InsecureRequestWarning

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.fetch.guarded_http import GuardedHttp, GuardedResponse, Limits
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import FetchFailed, FetchTimeout, FetchTooLarge
from app.providers.http.outgoing import Outgoing
from tests.support.guarded import ENDLESS, OK, QUICK, answers, drop_by_drop, fetch, for_ever, redirect, trusting, url
from tests.support.raw_server import RawServer, hang, read_request, say, say_and_close


class TestLimits:
    def test_an_announced_size_over_the_limit_is_not_read(self) -> None:
        with (
            RawServer(say(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")) as server,
            trusting(server).request("GET", url(server), limits=QUICK) as answer,
            pytest.raises(FetchTooLarge),
        ):
            answer.read()

    def test_a_body_of_exactly_the_limit_is_read(self) -> None:
        with RawServer(say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)) as server:
            assert len(fetch(trusting(server), url(server), limits=QUICK)) == 1000

    def test_an_endless_body_is_cut(self) -> None:
        with RawServer(for_ever(ENDLESS, b"x" * 65_536)) as server, pytest.raises(FetchTooLarge):
            fetch(trusting(server), url(server), limits=Limits(size=1000))

    def test_a_body_shorter_than_announced_is_no_answer(self) -> None:
        with (
            RawServer(say_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")) as server,
            pytest.raises(FetchFailed),
        ):
            fetch(trusting(server), url(server))

    def test_more_than_announced_is_left_alone(self) -> None:
        with RawServer(say_and_close(OK + b" and more")) as server:
            assert fetch(trusting(server), url(server)) == b"hello"

    @pytest.mark.parametrize("size", ["-1", "x", "1" * 30])
    def test_a_senseless_announcement_does_not_open_the_limit(self, size: str) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n".encode()
        with RawServer(for_ever(head, b"x" * 65_536)) as server, pytest.raises(FetchFailed):
            fetch(trusting(server), url(server), limits=Limits(size=1000))

    @pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
    def test_what_unpacks_past_the_limit_is_cut_before_it_fills_the_memory(
        self, coding: str, pack: Callable[[bytes], bytes]
    ) -> None:
        packed = pack(b"\0" * 60_000_000)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
        with RawServer(say(head + packed)) as server:
            tracemalloc.start()
            try:
                with pytest.raises(FetchTooLarge):
                    fetch(trusting(server), url(server), limits=Limits(size=1_000_000))
                assert tracemalloc.get_traced_memory()[1] < 10_000_000
            finally:
                tracemalloc.stop()

    def test_packed_content_is_unpacked(self) -> None:
        packed = gzip.compress(b"hello")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
        with RawServer(say(head + packed)) as server:
            assert fetch(trusting(server), url(server)) == b"hello"

    def test_a_transfer_that_unpacks_to_nothing_is_cut(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
        with RawServer(for_ever(head, gzip.compress(b"") * 1000)) as server, pytest.raises(FetchTimeout):
            fetch(trusting(server), url(server), limits=QUICK)

    def test_broken_packing_is_no_answer(self) -> None:
        with (
            RawServer(say_and_close(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nhello")) as server,
            pytest.raises(FetchFailed),
        ):
            fetch(trusting(server), url(server))

    @pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"220 mail ESMTP\r\n", b"HTTP/1.1 x\r\n\r\n", b""])
    def test_another_protocol_is_no_answer(self, answer: bytes) -> None:
        with RawServer(say_and_close(answer)) as server, pytest.raises(FetchFailed):
            fetch(trusting(server), url(server))

    @pytest.mark.parametrize(
        "behaviour",
        [
            pytest.param(hang, id="silence"),
            pytest.param(drop_by_drop(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), id="headers for ever"),
            pytest.param(drop_by_drop(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), id="preludes for ever"),
            pytest.param(drop_by_drop(ENDLESS, b"x"), id="a body drop by drop"),
            pytest.param(
                drop_by_drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
                id="chunks for ever",
            ),
            pytest.param(
                drop_by_drop(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n"),
                id="trailers for ever",
            ),
        ],
    )
    def test_nothing_lasts_past_the_time_limits(self, behaviour: Callable[[socket.socket], None]) -> None:
        with RawServer(behaviour) as server, pytest.raises(FetchTimeout):
            fetch(trusting(server), url(server), limits=QUICK)

    def test_headers_that_were_cut_off_are_no_answer(self) -> None:
        with RawServer(drop_by_drop(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")) as server, pytest.raises(FetchTimeout):
            trusting(server).request("HEAD", url(server), limits=QUICK)

    def test_redirects_share_one_deadline(self) -> None:
        def slowly(connection: socket.socket) -> None:
            read_request(connection)
            threading.Event().wait(0.2)
            connection.sendall(redirect("/again"))

        with RawServer(slowly) as server, pytest.raises(FetchTimeout):
            fetch(trusting(server), url(server), limits=Limits(read=1, total=0.5, redirects=20))


class TestStops:
    @pytest.mark.parametrize("behaviour", [hang, say(ENDLESS + b"x"), lambda connection: None])
    def test_a_stop_ends_the_wait_and_closes_the_connection(self, behaviour: Callable[[socket.socket], None]) -> None:
        cancellation = Cancellation()
        closed = threading.Event()

        def behave(connection: socket.socket) -> None:
            threading.Timer(0.1, cancellation.cancel).start()
            behaviour(connection)
            with contextlib.suppress(OSError):
                while connection.recv(65_536):
                    pass
            closed.set()

        with RawServer(behave) as server:
            with pytest.raises(Cancelled):
                fetch(trusting(server), url(server), limits=Limits(read=20, total=30), cancellation=cancellation)
            assert closed.wait(5)

    def test_a_stop_before_the_start_sends_nothing(self) -> None:
        cancellation = Cancellation()
        cancellation.cancel()
        with RawServer(say(OK)) as server:
            with pytest.raises(Cancelled):
                trusting(server).request("GET", url(server), cancellation=cancellation)
            assert server.connections == 0

    def test_an_answer_that_is_closed_unread_closes_its_connection(self) -> None:
        closed = threading.Event()

        def behave(connection: socket.socket) -> None:
            read_request(connection)
            connection.sendall(ENDLESS + b"x")
            with contextlib.suppress(OSError):
                while connection.recv(1):
                    pass
            closed.set()

        with RawServer(behave) as server:
            trusting(server).request("GET", url(server)).close()
            assert closed.wait(5)

    def test_nothing_is_left_with_the_cancellation(self) -> None:
        cancellation = Cancellation()
        with RawServer(say(OK)) as server:
            fetch(trusting(server), url(server), cancellation=cancellation)
        assert cancellation._callbacks == []


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class TestTls:
    @staticmethod
    @contextlib.contextmanager
    def server(authority: trustme.CA, name: str) -> Iterator[RawServer]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(name).configure_cert(context)

        def behave(connection: socket.socket) -> None:
            say_and_close(OK)(context.wrap_socket(connection, server_side=True))

        with RawServer(behave) as server:
            yield server

    @pytest.fixture(autouse=True)
    def known_authority(self, authority: trustme.CA, tmp_path) -> None:
        authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
        self.outgoing = Outgoing(ca_files=(str(tmp_path / "authority.pem"),))

    def ask(self, server: RawServer, verify: bool = True) -> GuardedResponse:
        return GuardedHttp(AllowedAddresses(["good.test"]), self.outgoing).request(
            "GET", f"https://good.test:{server.port}/", verify=verify
        )

    def test_the_certificate_is_checked_by_name_though_an_address_is_dialled(self, authority, monkeypatch) -> None:
        answers(monkeypatch, lambda host: ["127.0.0.1"])
        with self.server(authority, "good.test") as server:
            assert self.ask(server).read() == b"hello"
        with self.server(authority, "evil.test") as server, pytest.raises(FetchFailed):
            self.ask(server)

    def test_an_unknown_authority_is_taken_only_where_nothing_is_verified(self, monkeypatch) -> None:
        answers(monkeypatch, lambda host: ["127.0.0.1"])
        with self.server(trustme.CA(), "other.test") as server:
            with pytest.raises(FetchFailed):
                self.ask(server)
            with pytest.warns(InsecureRequestWarning):
                assert self.ask(server, verify=False).read() == b"hello"
