"""/metrics on a port of its own."""

import socket
from collections.abc import Iterator

import pytest
import requests

from app.embedded.ports import ReservedPort
from app.metrics import recording
from app.metrics.names import CLIENT_RECONNECTS
from app.services.operator.metrics_server import LARGEST_HEAD, MetricsServer
from tests.support.metrics import samples_of, value


@pytest.fixture
def port(app) -> Iterator[int]:
    recording.start(app.config["METRICS_DIR"], "worker")
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()
    recording.stop()


@pytest.fixture
def server(app, port) -> Iterator[str]:
    started = MetricsServer(app, "127.0.0.1", port, "").start()
    yield f"http://127.0.0.1:{port}"
    started.stop()


def test_it_serves_the_metrics_of_all_processes(server):
    CLIENT_RECONNECTS.add()
    answer = requests.get(f"{server}/metrics?x=1", timeout=20)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert value(samples_of(answer.text), "frontdesk_client_reconnects_total") >= 1


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("HEAD", "/metrics", 200), ("GET", "/livez", 200), ("GET", "/", 404), ("POST", "/metrics", 405)],
)
def test_it_serves_nothing_else(server, method, path, status):
    answer = requests.request(method, server + path, timeout=20)
    assert answer.status_code == status and "frontdesk_" not in answer.text


def test_with_a_token_it_asks_for_it(app, port):
    started = MetricsServer(app, "127.0.0.1", port, "a token").start()
    url = f"http://127.0.0.1:{port}/metrics"
    try:
        statuses = [
            requests.get(url, headers=headers, timeout=20).status_code
            for headers in ({}, {"Authorization": "Bearer other"}, {"authorization": "bearer a token"})
        ]
    finally:
        started.stop()
    assert statuses == [401, 401, 200]


def test_all_processes_of_a_host_share_the_port(app, server, port):
    second = MetricsServer(app, "127.0.0.1", port, "").start()
    try:
        assert [requests.get(f"{server}/livez", timeout=20).status_code for _ in range(8)] == [200] * 8
    finally:
        second.stop()


def test_a_head_without_an_end_is_not_read_for_ever(server, port):
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * LARGEST_HEAD)
        assert connection.recv(10) == b""


def test_a_port_that_another_program_has_is_left_to_it(app):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = MetricsServer(app, "127.0.0.1", taken.getsockname()[1], "").start()
        with socket.create_connection(taken.getsockname(), timeout=20):
            taken.accept()[0].close()
        server.stop()
