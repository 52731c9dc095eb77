"""Behind a proxy, the requests that a client has open are bounded by the address that the proxy names."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import api
from app.factory import create_app
from config import Config
from tests.support.uploads import path_of
from tests.support.web_client import WebVisitor


@pytest.fixture
def proxied(bound_app: Flask, settings: dict[str, str]) -> Iterator[FlaskClient]:
    """A client of an app behind a proxy that serves two requests of one address at once."""
    limited = settings | {"PROXY_HOPS": "1", "ADDRESS_CONNECTIONS": "2"}
    yield create_app(Config(limited), api.init_app).test_client()


def ask(client: FlaskClient, address: str, *, close: bool = True) -> int:
    """Ask by the proxy for an address; returns the status. `close`: whether the answer is read to its end."""
    answer = client.get("/api/system-features", headers={"X-Forwarded-For": f"6.6.6.6, {address}"})
    if close:
        answer.close()
    return answer.status_code


def test_one_address_has_only_so_many_open_and_others_are_served(proxied: FlaskClient) -> None:
    assert [ask(proxied, "192.0.2.1", close=False) for _ in range(3)] == [200, 200, 429]
    assert ask(proxied, "192.0.2.2") == 200


def test_a_household_counts_as_one(proxied: FlaskClient) -> None:
    asked = [ask(proxied, f"2001:db8::{number}", close=False) for number in range(3)]
    assert asked == [200, 200, 429]
    assert ask(proxied, "2001:db8:0:1::1") == 200


def test_a_request_that_ended_counts_no_more(proxied: FlaskClient) -> None:
    assert [ask(proxied, "192.0.2.3") for _ in range(5)] == [200] * 5


def test_files_that_were_sent_count_no_more(proxied: FlaskClient, alice: WebVisitor) -> None:
    link = path_of(alice.upload(b"0123456789").get_json()["source_url"])
    for path in (link, "/swaggerui/swagger-ui.css"):
        for _ in range(3):
            answer = proxied.get(path, headers={"X-Forwarded-For": "192.0.2.5"})
            assert (answer.status_code, bool(answer.get_data())) == (200, True)
            answer.close()


def test_a_refusal_says_when_to_come_back(proxied: FlaskClient) -> None:
    for _ in range(2):
        ask(proxied, "192.0.2.4", close=False)
    answer = proxied.get("/api/system-features", headers={"X-Forwarded-For": "192.0.2.4"})
    assert answer.get_json()["code"] == "too_many_requests"
    assert int(answer.headers["Retry-After"]) > 0
