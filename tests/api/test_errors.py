"""Errors as JSON, for every path under /api (contract README §3)."""

import json
import subprocess
import sys

import pytest
import redis
from kombu.exceptions import OperationalError

from app import tasks
from app.api import errors
from app.extensions import db
from app.services.visitor import app_info
from tests.support.paths import PROJECT

# In a process of its own: it binds the Redis client elsewhere.
ASK = """
import json
from wsgi import app
paths = ("/api/passport", "/api/login/status?app_code=x")
answers = [app.test_client().get(path, headers={"X-App-Code": "x"}) for path in paths]
print(json.dumps([[answer.status_code, answer.get_json()["code"]] for answer in answers]))
"""
SEND = """
import json, sys
from wsgi import app
answer = app.test_client().post("/api/chat-messages", headers=json.loads(sys.argv[1]), json=json.loads(sys.argv[2]))
print(json.dumps([answer.status_code, answer.get_json()["code"]]))
"""
READ = """
import json, sys
from wsgi import app
print(json.dumps([app.test_client().get(path, headers=json.loads(sys.argv[1])).status_code for path in sys.argv[2:]]))
"""
AWAY = {
    "DATABASE_URL": "postgresql://127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9",
    "SECRET_KEY": "k" * 32,
    "LOG_LEVEL": "ERROR",
}


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


@pytest.mark.parametrize(
    "body", [b'{"a":', b"", b"\xff", b'{"query": "\\ud800", "inputs": {}}', b'{"query": NaN}', b"[" * 100_000]
)
def test_what_is_no_json_is_a_bad_request(alice, body):
    answer = alice.client.post("/api/chat-messages", headers=alice.headers, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


def test_what_was_sent_never_comes_back(alice):
    answer = alice.post(
        "/chat-messages", {"query": {"password": "hunter2"}, "inputs": ["hunter2"], "response_mode": "hunter2"}
    )
    assert answer.status_code == 400
    assert "hunter2" not in answer.get_data(as_text=True)


def test_a_fault_of_ours_tells_nothing(alice, monkeypatch, app):
    monkeypatch.setattr(app_info, "meta", lambda app: {}["a secret"])
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = alice.get("/meta")
    assert (answer.status_code, answer.get_json()) == (
        500,
        {"code": "unknown", "message": "Internal Server Error", "status": 500},
    )


def elsewhere(tmp_path, settings, program, *arguments):
    """What a process with other servers prints."""
    command, settings = [sys.executable, "-c", program, *arguments], settings | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run(command, cwd=PROJECT, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_server_that_is_away_is_told_as_such(tmp_path):
    assert elsewhere(tmp_path, AWAY, ASK) == [[503, "service_unavailable"]] * 2


@pytest.mark.parametrize("mode", ["streaming", "blocking"])
def test_without_redis_a_question_is_refused_and_ended(alice, settings, tmp_path, mode):
    conversation_id = alice.ask("Before")[0].data["conversation_id"]
    body = {"inputs": {}, "query": "Hi", "response_mode": mode, "conversation_id": conversation_id}
    told = elsewhere(
        tmp_path, settings | {"REDIS_URL": AWAY["REDIS_URL"]}, SEND, json.dumps(alice.headers), json.dumps(body)
    )
    before, message = alice.history(conversation_id)
    assert told == [503, "service_unavailable"]
    assert (before["status"], message["status"], message["answer"]) == ("normal", "error", "")
    assert message["error"]


def test_without_redis_the_lists_can_be_read(alice, settings, tmp_path):
    conversation_id = alice.ask()[0].data["conversation_id"]
    paths = ["/api/conversations", f"/api/messages?conversation_id={conversation_id}", "/api/site", "/api/parameters"]
    assert (
        elsewhere(tmp_path, settings | {"REDIS_URL": AWAY["REDIS_URL"]}, READ, json.dumps(alice.headers), *paths)
        == [200] * 4
    )


def test_without_the_database_a_question_leaves_nothing_in_redis(alice, settings, redis_db, tmp_path):
    body = {"inputs": {}, "query": "Hi", "response_mode": "streaming"}
    keys = set(redis_db.keys())
    told = elsewhere(
        tmp_path, settings | {"DATABASE_URL": AWAY["DATABASE_URL"]}, SEND, json.dumps(alice.headers), json.dumps(body)
    )
    assert told == [503, "service_unavailable"]
    assert set(redis_db.keys()) <= keys


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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/system-features"),
        ("GET", "/api/site"),
        ("GET", "/api/nowhere"),
        ("POST", "/api/site"),
        ("OPTIONS", "/api/site"),
        ("GET", "/api/swagger.json"),
        ("GET", "/api/docs"),
        ("GET", "/"),
        ("GET", "/health"),
    ],
)
def test_every_answer_names_version_and_environment(client, method, path):
    headers = client.open(path, method=method).headers
    assert headers["X-Version"] and headers["X-Env"] == "PRODUCTION" and headers["X-Trace-Id"]


def test_a_stream_names_version_and_environment(alice):
    headers = alice.chat().headers
    assert headers["X-Version"] and headers["X-Env"] == "PRODUCTION" and headers["X-Trace-Id"]


def test_a_fault_names_version_and_environment(alice, monkeypatch, app):
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.delitem(app.config, "UPLOAD_LIMITS_MB")
    answer = alice.get("/parameters")
    assert (answer.status_code, answer.get_json()["code"], answer.headers["X-Env"]) == (500, "unknown", "PRODUCTION")
    assert "UPLOAD_LIMITS_MB" not in answer.get_data(as_text=True)


def test_a_database_with_old_tables_is_told_as_unavailable(alice):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE conversations RENAME COLUMN introduction TO kept_introduction")
    try:
        answer = alice.chat()
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE conversations RENAME COLUMN kept_introduction TO introduction")
    assert (answer.status_code, answer.get_json()["code"]) == (503, "service_unavailable")
