"""Reserved ports: nobody gets one by chance, their server does."""

import socket

import pytest

from app.embedded.ports import ReservedPort


@pytest.fixture
def port():
    port = ReservedPort()
    yield port
    port.release()


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_server_that_names_the_port_may_come_and_go(port, option):
    for _ in range(2):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, option, 1)
            server.bind(("127.0.0.1", port.number))
            server.listen()
            with socket.create_connection(("127.0.0.1", port.number), 5):
                server.accept()[0].close()


def test_who_asks_for_the_port_without_sharing_is_refused(port):
    with socket.socket() as other, pytest.raises(OSError):
        other.bind(("127.0.0.1", port.number))


def test_nobody_gets_it_as_any_free_port(port):
    given = set()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(500)]
    for server in sockets:
        given.add(server.getsockname()[1])
        server.close()
    assert port.number not in given


def test_it_is_released_once_and_again(port):
    port.release()
    port.release()
    with socket.create_server(("127.0.0.1", port.number)):
        pass
