"""Requests that are no HTTP, or none that is served, get the contract's JSON body (contract README §3)."""

import contextlib
import socket

import pytest

from tests.support.mutated_requests import mutated
from tests.support.web_process import WebProcess, read_answer

GOOD = b"GET /api/system-features HTTP/1.1\r\nHost: desk\r\n\r\n"
LOGIN = b"POST /api/login HTTP/1.1\r\nHost: desk\r\nContent-Type: application/json\r\n"
UPLOAD = b"POST /api/human-input-forms/files HTTP/1.1\r\nHost: desk\r\nAuthorization: bearer hitl_upload_x\r\n"
CHUNKED = LOGIN + b"Transfer-Encoding: chunked\r\n\r\n"
SEED, REQUESTS = 20_260, 600


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "bad_request"),
        (b"get / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET /\x00 HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/3.7\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk\nX: y\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk\r\nX-Name: a\x00b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk\r\nBad Name: a\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk\r\n folded\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk\r\nHost: other\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: a..b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: " + b"a" * 64 + b"\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: desk", 400, "bad_request"),
        (LOGIN + b"Content-Length: x\r\n\r\n", 400, "bad_request"),
        (LOGIN + b"Content-Length: -5\r\n\r\n", 400, "bad_request"),
        (LOGIN + b"Content-Length: +5\r\n\r\n12345", 400, "bad_request"),
        (LOGIN + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n123456", 400, "bad_request"),
        (LOGIN + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "bad_request"),
        (LOGIN + b"Content-Length: 500\r\n\r\n{", 400, "bad_request"),
        (LOGIN + b"Content-Length: 900000\r\n\r\n" + b"x" * 200_000, 400, "bad_request"),
        (UPLOAD + b"Content-Length: 500\r\n\r\n--b\r\n", 400, "bad_request"),
        (CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"2\r\n{}xx0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"2;\x00\r\n{}\r\n0\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 3\r\n\r\n", 400, "bad_request"),
        (CHUNKED + b"ffffffffffffffffffff\r\n{}", 400, "bad_request"),
        (CHUNKED + b"5\r\n{}", 400, "bad_request"),
        (CHUNKED, 400, "bad_request"),
        (CHUNKED + b"1" * 20_000, 400, "bad_request"),
        (LOGIN + b"Transfer-Encoding: gzip\r\n\r\n", 400, "bad_request"),
        (LOGIN + b"Transfer-Encoding: weird\r\n\r\n", 501, "not_implemented"),
        (b"GET / HTTP/1.1\r\nHost: desk\r\nExpect: pigs\r\n\r\n", 417, "expectation_failed"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: desk\r\n\r\n", 414, "request_uri_too_long"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 120 + b"\r\n", 431, "request_header_fields_too_large"),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * 20_000 + b"\r\n\r\n", 431, "request_header_fields_too_large"),
    ],
)
def test_a_malformed_request_is_refused_in_json(web: WebProcess, request_bytes: bytes, status: int, code: str) -> None:
    answer = web.send(request_bytes, ends=True)
    assert answer is not None
    body = answer.json()
    assert (answer.status, body["code"], body["status"]) == (status, code, status)
    assert body["message"] and answer.headers["content-type"] == "application/json"
    assert answer.headers["x-version"] and answer.headers["x-env"] and answer.headers["x-trace-id"]
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "spoiled",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: desk\r\nOrigin: https://page.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nOrigin: https://page.example\r\n" + b"A: b\r\n" * 120 + b"\r\n",
        LOGIN + b"Origin: https://page.example\r\nContent-Length: 9\r\n\r\n{",
    ],
)
def test_a_page_can_read_why_it_was_refused(web: WebProcess, spoiled: bytes) -> None:
    answer = web.send(spoiled, ends=True)
    assert answer is not None and answer.status >= 400
    assert answer.headers["access-control-allow-origin"] == "https://page.example"
    assert answer.headers["access-control-allow-credentials"] == "true"


def test_request_lines_of_8_kib_are_served(web: WebProcess) -> None:
    path = b"/api/system-features?" + b"a" * 8_192
    answer = web.send(b"GET " + path + b" HTTP/1.1\r\nHost: desk\r\n\r\n")
    assert answer is not None and answer.status == 200


def test_many_requests_follow_each_other_on_a_connection(web: WebProcess) -> None:
    body = b'{"email": "a@b.example"}'
    whole = LOGIN + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with web.connect() as connection:
        for request_bytes, status in ((GOOD, 200), (whole, 400), (CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", 400), (GOOD, 200)):
            connection.sendall(request_bytes)
            answer = read_answer(connection)
            assert answer is not None and (answer.status, answer.headers["connection"]) == (status, "keep-alive")


def test_nothing_after_a_malformed_body_is_taken_for_a_request(web: WebProcess) -> None:
    with web.connect() as connection:
        connection.sendall(CHUNKED + b"zz\r\n" + GOOD)
        answer = read_answer(connection)
        assert answer is not None and answer.status == 400
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""


def test_a_body_that_nobody_reads_does_not_hide_the_answer(web: WebProcess) -> None:
    head = b"POST /api/files/upload HTTP/1.1\r\nHost: desk\r\nContent-Length: 3000000\r\n\r\n"
    with web.connect() as connection:
        with contextlib.suppress(OSError):
            connection.sendall(head + b"x" * 3_000_000)
            connection.shutdown(socket.SHUT_WR)
        answer = read_answer(connection)
    assert answer is not None and (answer.status, answer.json()["code"]) == (401, "unauthorized")


def test_no_spoiled_request_is_a_fault_of_ours(web: WebProcess) -> None:
    for request_bytes in mutated(SEED, REQUESTS):
        answer = web.send(request_bytes, ends=True)
        if answer is None:
            # Nothing came of a request.
            assert not request_bytes.strip(b"\r\n"), request_bytes
        else:
            assert answer.status < 500 or answer.status == 501, request_bytes
            assert answer.status < 400 or {"code", "message", "status"} <= set(answer.json()), request_bytes
    assert "Traceback" not in web.log()
