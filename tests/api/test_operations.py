"""GET /health."""

import json
import subprocess
import sys
import time

import pytest

from app.services.operator import health
from app.streams import leases
from tests.support.paths import PROJECT

ASK = """
import json
from wsgi import app
answer = app.test_client().get("/health")
print(json.dumps([answer.status_code, answer.get_json()]))
"""


def test_all_is_well_with_a_worker(client, redis_db):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    answer = client.get("/health")
    body = answer.get_json()
    assert (answer.status_code, body["status"]) == (200, "ok")
    assert {name: part["state"] for name, part in body.items() if name != "status"} == dict.fromkeys(
        ("web", "postgres", "redis", "worker", "model"), "up"
    )


def test_without_a_worker_it_is_not(client, redis_db):
    redis_db.delete(leases.WORKERS)
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()["worker"]["state"]) == (503, "down")


@pytest.mark.parametrize(
    ("away", "down"),
    [
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/none"}, {"postgres"}),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, {"redis", "worker"}),
    ],
)
def test_a_server_that_is_away_is_named(settings, redis_db, tmp_path, away, down):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    settings = settings | away | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=PROJECT, env=settings, capture_output=True, text=True)
    status, body = json.loads(done.stdout)
    assert (status, body["status"]) == (503, "degraded")
    assert {name for name, part in body.items() if name != "status" and part["state"] == "down"} == down
    assert "127.0.0.1" not in done.stdout


def test_a_dead_local_model_is_named(client, app, monkeypatch, redis_db):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    for name, value in {
        "LOCAL_MODEL_FILE": "a.gguf",
        "LOCAL_MODEL_SHA256": "ab",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }.items():
        monkeypatch.setitem(app.config, name, value)
    answer = client.get("/health")
    model = answer.get_json()["model"]
    assert (answer.status_code, model["state"], model["file"], model["sha256"]) == (503, "down", "a.gguf", "ab")


def test_a_local_model_is_not_asked_by_every_probe(client, app, monkeypatch, model, redis_db):
    monkeypatch.setitem(app.config, "LOCAL_MODEL_FILE", "a.gguf")
    asked = []
    monkeypatch.setattr(health, "_ask_model", lambda address: asked.append(address) or {})
    health._model_state.cache_clear()
    assert [client.get("/health").get_json()["model"]["state"] for _ in range(3)] == ["up"] * 3
    assert asked == [app.config["OPENAI_BASE_URL"]]
