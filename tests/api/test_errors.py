"""Errors as JSON, for every path under /api (contract README §3)."""

import json
import pathlib
import subprocess
import sys

import pytest
import redis
from kombu.exceptions import OperationalError

from app import tasks
from app.api import errors
from app.services import app_info

PROJECT = pathlib.Path(__file__).parents[2]
# In a process of its own: it binds the Redis client elsewhere.
ASK = """
import json
from wsgi import app
paths = ("/api/passport", "/api/login/status?app_code=x")
answers = [app.test_client().get(path, headers={"X-App-Code": "x"}) for path in paths]
print(json.dumps([[answer.status_code, answer.get_json()["code"]] for answer in answers]))
"""
AWAY = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9", "SECRET_KEY": "k" * 32, "LOG_LEVEL": "ERROR"}


def test_an_unknown_path_is_told_without_hints(client):
    answer = client.get("/api/sit")
    body = answer.get_json()
    assert (answer.status_code, body["code"], body["status"]) == (404, "not_found", 404)
    assert "did you mean" not in body["message"]


@pytest.mark.parametrize("path", ["/api/", "/nowhere"])
def test_paths_outside_are_json_too(client, path):
    assert client.get(path).get_json()["code"] == "not_found"


def test_a_wrong_method_is_told(alice):
    answer = alice.post("/site", {})
    assert (answer.status_code, answer.get_json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"] and "POST" not in answer.headers["Allow"]


@pytest.mark.parametrize("body", [b'{"a":', b"", b"\xff", b'{"query": "\\ud800", "inputs": {}}', b'{"query": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_a_bad_request(alice, body):
    answer = alice.client.post("/api/chat-messages", headers=alice.headers, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


def test_what_was_sent_never_comes_back(alice):
    answer = alice.post("/chat-messages", {"query": {"password": "hunter2"}, "inputs": ["hunter2"], "response_mode": "hunter2"})
    assert answer.status_code == 400
    assert "hunter2" not in answer.get_data(as_text=True)


def test_a_fault_of_ours_tells_nothing(alice, monkeypatch, app):
    monkeypatch.setattr(app_info, "meta", lambda app: {}["a secret"])
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = alice.get("/meta")
    assert (answer.status_code, answer.get_json()) == (500, {"code": "unknown", "message": "Internal Server Error", "status": 500})


def test_a_server_that_is_away_is_told_as_such(tmp_path):
    done = subprocess.run([sys.executable, "-c", ASK], cwd=PROJECT, env=AWAY | {"DATA_DIR": str(tmp_path)}, capture_output=True, text=True)
    assert json.loads(done.stdout) == [[503, "service_unavailable"]] * 2, done.stderr


@pytest.mark.parametrize("lost", [redis.ConnectionError(), redis.TimeoutError(), OperationalError()])
def test_a_lost_connection_that_says_nothing_is_told_as_such(app, lost):
    with app.test_request_context():
        answer = errors.render_error(lost)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")


def test_a_question_that_cannot_be_queued_is_told_and_ended(alice, monkeypatch):
    monkeypatch.setattr(tasks.generate, "apply_async", lambda *_, **__: raise_away())
    answer = alice.chat("Hi")
    conversation_id = alice.get("/conversations").get_json()["data"][0]["id"]
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")
    assert alice.history(conversation_id)[0]["status"] == "error"


def raise_away():
    raise OperationalError("the queue is away")


def test_every_answer_names_version_and_environment(client):
    for path in ("/api/system-features", "/api/nowhere", "/health"):
        headers = client.get(path).headers
        assert headers["X-Version"] and headers["X-Env"] == "PRODUCTION" and headers["X-Trace-Id"]
