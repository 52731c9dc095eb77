"""Pages of other origins (contract README §6; client.md §11)."""

import re

import pytest

from app.api import swagger_document

ORIGIN = "https://page.example"
PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization,x-app-code,x-app-passport,x-csrf-token,last-event-id",
}


@pytest.mark.parametrize(
    "path", ["/api/chat-messages", "/api/conversations/x/pin", "/api/workflow/x/events", "/api/nowhere", "/api/site"]
)
def test_a_preflight_is_answered_without_a_passport(client, path):
    answer = client.options(path, headers=PREFLIGHT)
    allowed = {name.strip().lower() for name in answer.headers["Access-Control-Allow-Headers"].split(",")}
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert set(PREFLIGHT["Access-Control-Request-Headers"].split(",")) <= allowed
    assert "Origin" in answer.headers["Vary"]


def test_every_path_of_the_document_answers_preflights(client, app):
    for path in swagger_document(app)["paths"]:
        answer = client.options("/api" + re.sub(r"{.*?}", "x", path), headers=PREFLIGHT)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, ORIGIN), path


def test_a_preflight_of_an_origin_that_is_not_listed_allows_nothing(client, app, monkeypatch):
    monkeypatch.setitem(app.config, "CORS_ALLOW_ORIGINS", ["https://other.example"])
    headers = client.options("/api/site", headers=PREFLIGHT).headers
    assert [name for name, _ in headers if name.startswith("Access-Control")] == []
    assert "Origin" in headers["Vary"]


def test_all_of_our_headers_may_be_read(client):
    exposed = client.get("/api/system-features", headers={"Origin": ORIGIN}).headers["Access-Control-Expose-Headers"]
    assert exposed == "X-Version, X-Env, X-Trace-Id"


def test_the_origin_is_echoed_on_answers_and_errors(alice):
    for answer in (alice.get("/site", headers={"Origin": ORIGIN}), alice.get("/nowhere", headers={"Origin": ORIGIN})):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "X-Version" in answer.headers["Access-Control-Expose-Headers"]


def test_a_stream_may_be_read_by_other_pages_too(alice):
    body = {"inputs": {}, "query": "Hi", "response_mode": "streaming"}
    answer = alice.client.post("/api/chat-messages", headers=alice.headers | {"Origin": ORIGIN}, json=body)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true" and "Origin" in answer.headers["Vary"]


def test_only_listed_origins_are_let_in(client, app, monkeypatch):
    monkeypatch.setitem(app.config, "CORS_ALLOW_ORIGINS", [ORIGIN])
    listed, other = (
        client.get("/api/system-features", headers={"Origin": origin}) for origin in (ORIGIN, "https://other.example")
    )
    assert listed.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Access-Control-Allow-Origin" not in other.headers


def test_without_an_origin_nothing_is_added(client):
    assert "Access-Control-Allow-Origin" not in client.get("/api/system-features").headers
