"""Connections are kept, drained, and replaced if the server has closed them."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from app.errors import ProviderUnreachable
from app.providers.http import connections
from tests.support.raw_server import ANSWER, LAST, QUESTION, Behaviour, RawServer, read_request, say, say_and_close


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    with RawServer(say_and_close(ANSWER)) as server:
        model = server.model()
        for _ in range(3):
            assert model.complete(QUESTION, {})[0] == "Hello"
            time.sleep(0.01)

        assert server.connections == 3


def answer_once_then_close_on_the_next(connection: socket.socket) -> None:
    read_request(connection)
    connection.sendall(ANSWER)
    read_request(connection)
    connection.close()


def test_a_kept_connection_that_dies_before_the_answer_is_replaced_once() -> None:
    with RawServer(answer_once_then_close_on_the_next, say(ANSWER)) as server:
        model = server.model()
        assert [model.complete(QUESTION, {})[0] for _ in range(2)] == ["Hello", "Hello"]
        assert server.connections == 2


def test_a_second_death_is_an_error() -> None:
    with RawServer(answer_once_then_close_on_the_next, say_and_close(), say(ANSWER)) as server:
        model = server.model()
        model.complete(QUESTION, {})
        with pytest.raises(ProviderUnreachable):
            model.complete(QUESTION, {})

        assert server.connections == 2


def test_a_new_connection_is_not_tried_twice() -> None:
    with RawServer(say_and_close(), say(ANSWER)) as server, pytest.raises(ProviderUnreachable):
        server.model().complete(QUESTION, {})

    assert server.connections == 1


def answer_with_a_late_end(end: Callable[[], bytes]) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(ANSWER.removesuffix(LAST))
            time.sleep(0.02)
            connection.sendall(end())

    return behave


def test_an_answer_does_not_wait_for_the_end_of_its_body_but_its_connection_does() -> None:
    with RawServer(answer_with_a_late_end(lambda: LAST)) as server:
        model = server.model()
        model.complete(QUESTION, {})
        model.complete(QUESTION, {})
        assert server.connections == 2

        time.sleep(0.05)
        model.complete(QUESTION, {})
        assert server.connections == 2


@pytest.mark.parametrize("end", [b"", LAST + b"HTTP/1.1 408 Too slow\r\n\r\n", b"garbage\r\n"])
def test_a_connection_in_disorder_is_not_used_again(end: bytes) -> None:
    with RawServer(answer_with_a_late_end(lambda: end)) as server:
        model = server.model()
        model.complete(QUESTION, {})
        time.sleep(0.05)
        assert model.complete(QUESTION, {})[0] == "Hello"

        assert server.connections == 2


def test_a_server_may_ask_to_close() -> None:
    with RawServer(say(ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))) as server:
        model = server.model()
        for _ in range(2):
            model.complete(QUESTION, {})

        assert server.connections == 2


def test_idle_connections_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(say(ANSWER)) as server:
        model = server.model()
        model.complete(QUESTION, {})
        monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
        time.sleep(0.001)
        model.complete(QUESTION, {})

        assert server.connections == 2


def test_only_so_many_connections_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_CONNECTIONS", 2)
    together = threading.Barrier(5)

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        together.wait(5)
        connection.sendall(ANSWER)
        # A dropped connection ends here.
        if not read_request(connection):
            dropped.append(connection)

    dropped: list[socket.socket] = []
    with RawServer(behave) as server:
        model = server.model()
        threads = [threading.Thread(target=model.complete, args=(QUESTION, {})) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.05)

        assert len(dropped) == 3
