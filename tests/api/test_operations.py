"""GET /health."""

import time

from app.streams import leases


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


def test_a_dead_local_model_is_named(client, app, monkeypatch, redis_db):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    for name, value in {"LOCAL_MODEL_FILE": "a.gguf", "LOCAL_MODEL_SHA256": "ab", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}.items():
        monkeypatch.setitem(app.config, name, value)
    answer = client.get("/health")
    model = answer.get_json()["model"]
    assert (answer.status_code, model["state"], model["file"], model["sha256"]) == (503, "down", "a.gguf", "ab")
