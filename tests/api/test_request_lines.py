"""The line of a request: its app, and for a stream the whole time and how it ended."""

import pytest

from app.api import request_lines
from tests.support.log_lines import lines_of


@pytest.fixture
def lines(monkeypatch):
    return lines_of(monkeypatch, request_lines)


def test_a_request_names_the_app_that_it_is_for(alice, lines):
    alice.get("/parameters")
    assert lines.lines[-1]["app"] == alice.app.code
    assert (lines.lines[-1]["route"], lines.lines[-1]["status"]) == ("/api/parameters", 200)


def test_a_passport_names_its_app(client, alice, lines):
    client.get("/api/passport", headers={"X-App-Code": alice.app.code})
    assert lines.only["app"] == alice.app.code


def test_a_request_for_nobody_s_app_names_none(client, lines):
    client.get("/api/parameters")
    assert lines.only["status"] == 401 and "app" not in lines.only


def test_a_stream_is_told_once_it_has_ended(alice, lines):
    response = alice.chat()
    assert response.get_data() and response.status_code == 200
    response.close()
    line = lines.lines[-1]
    assert (line["route"], line["outcome"], line["app"]) == ("/api/chat-messages", "whole", alice.app.code)
    assert line["bytes"] == len(response.get_data()) and line["ms"] >= line["first_ms"]
    assert line["request_id"] == response.headers["X-Trace-Id"]
    assert len(lines.lines) == 1


def test_a_stream_that_its_client_left_is_told_as_such(alice, lines):
    response = alice.chat(buffered=False)
    next(iter(response.response))
    assert lines.lines == []
    response.close()
    assert (lines.only["outcome"], lines.only["status"]) == ("client gone", 200)


def test_probes_are_not_told(client, lines):
    client.get("/health")
    assert lines.lines == []
