"""GET /health, /livez, /readyz and /metrics."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.extensions import db
from app.metrics import recording
from app.services.operator import health, metric_facts, readiness
from app.services.operator.metric_facts import MetricFacts
from app.services.operator.readiness import Readiness
from app.services.operator.schema import CodeSchema
from app.services.process.process_parts import parts_of
from app.streams import leases
from tests.support.metrics import Series, samples_of, value
from tests.support.paths import PROJECT

ASK = """
import contextlib, json, time
from redis import ConnectionError
from app.extensions import redis_client
from app.services.operator import readiness
from app.streams.leases import WORKERS
from wsgi import app
readiness.WAIT_SECONDS = 60.0
with app.app_context(), contextlib.suppress(ConnectionError):
    redis_client.client.zadd(WORKERS, {"one": time.time()})
answers = [app.test_client().get(path) for path in ("/livez", "/readyz", "/health")]
print(json.dumps([[answer.status_code, answer.get_json()] for answer in answers]))
"""


def test_all_is_well_with_a_worker(client, redis_db):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    answer = client.get("/health")
    body = answer.get_json()
    assert (answer.status_code, body["status"]) == (200, "ok")
    assert {name: part["state"] for name, part in body.items() if name != "status"} == dict.fromkeys(
        ("web", "postgres", "schema", "redis", "worker", "model"), "up"
    )
    assert all(body[name]["version"] for name in ("web", "postgres", "redis")) and body["web"]["python"]
    assert body["schema"]["revision"] == body["schema"]["expected"]


def test_without_a_worker_it_is_not(client, redis_db):
    redis_db.delete(leases.WORKERS)
    answer = client.get("/health")
    assert (answer.status_code, answer.get_json()["worker"]["state"]) == (503, "down")


@pytest.mark.parametrize(
    ("away", "unhealthy", "unready"),
    [
        ({"DATABASE_URL": "postgresql://127.0.0.1:9/none"}, {"postgres", "schema"}, {"database", "schema"}),
        ({"REDIS_URL": "redis://127.0.0.1:9"}, {"redis", "worker"}, {"redis"}),
    ],
)
def test_a_server_that_is_away_is_named(settings, tmp_path, away, unhealthy, unready):
    settings = settings | away | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", ASK], cwd=PROJECT, env=settings, capture_output=True, text=True)
    lives, ready, health_of_all = json.loads(done.stdout)
    assert lives == [200, {"status": "ok"}]
    assert (ready[0], ready[1].pop("status")) == (503, "not ready")
    assert (health_of_all[0], health_of_all[1].pop("status")) == (503, "degraded")
    assert {name for name, part in ready[1].items() if part["state"] == "down"} == unready
    assert {name for name, part in health_of_all[1].items() if part["state"] == "down"} == unhealthy
    assert "127.0.0.1" not in done.stdout


def test_a_dead_local_model_is_named(client, app, monkeypatch, redis_db):
    redis_db.zadd(leases.WORKERS, {"one": time.time()})
    for name, setting in {
        "LOCAL_MODEL_FILE": "a.gguf",
        "LOCAL_MODEL_SHA256": "ab",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }.items():
        monkeypatch.setitem(app.config, name, setting)
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


def test_livez_asks_nobody(client):
    answer = client.get("/livez")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is, servers that are there answer in time."""
    monkeypatch.setattr(readiness, "WAIT_SECONDS", 60.0)
    monkeypatch.setattr(metric_facts, "WAIT_SECONDS", 60.0)


@pytest.fixture
def probes(app: Flask, patient: None) -> Iterator[Flask]:
    """The app, with no answer to a probe that was kept from another test, nor for one."""
    parts_of(app).built.pop(Readiness, None)
    yield app
    parts_of(app).built.pop(Readiness, None)


def test_readyz_does_without_workers(client, probes, redis_db):
    redis_db.delete(leases.WORKERS)
    answer = client.get("/readyz")
    body = answer.get_json()
    assert (answer.status_code, body["status"]) == (200, "ready")
    assert {name: part["state"] for name, part in body.items() if name != "status"} == dict.fromkeys(
        ("database", "schema", "redis"), "up"
    )
    assert client.head("/readyz").status_code == 200


def stand_at(app: Flask, monkeypatch: pytest.MonkeyPatch, schema: CodeSchema) -> None:
    """Let the code need other tables than the database has."""
    monkeypatch.setitem(app.extensions, "code_schema", schema)


def test_readyz_is_red_until_old_tables_are_upgraded(client, probes, monkeypatch):
    ours = probes.extensions["code_schema"]
    stand_at(probes, monkeypatch, CodeSchema(ours.known | {"next"}, frozenset({"next"})))
    old = client.get("/readyz")
    health_of_old = client.get("/health").get_json()["schema"]
    stand_at(probes, monkeypatch, ours)
    parts_of(probes).built.pop(Readiness)
    assert (old.status_code, old.get_json()["schema"]["tables"]) == (503, "old")
    assert "flask --app wsgi db upgrade" in old.get_json()["schema"]["error"]
    assert (health_of_old["state"], health_of_old["expected"]) == ("down", "next")
    assert client.get("/readyz").status_code == 200


def test_tables_newer_than_the_code_are_no_fault(client, probes, monkeypatch):
    stand_at(probes, monkeypatch, CodeSchema(frozenset({"0001"}), frozenset({"0001"})))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["schema"]["tables"]) == (200, "newer")


def test_a_database_without_tables_is_not_ready(client, probes):
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alembic_version RENAME TO kept_version")
    try:
        answer = client.get("/readyz")
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE kept_version RENAME TO alembic_version")
    schema = answer.get_json()["schema"]
    assert (answer.status_code, schema["tables"], schema["revision"]) == (503, "missing", None)


def test_many_probes_ask_once(client, probes, monkeypatch):
    asked = []
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 600.0)
    monkeypatch.setattr(readiness, "list_schema_revisions", lambda: asked.append(1) or ["0001"])
    for _ in range(20):
        client.get("/readyz")
    assert asked == [1]


TOKEN = {"Authorization": "Bearer a token for scrapes"}


@pytest.fixture
def scraping(app: Flask, patient: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The app with metrics on, counting in this process."""
    monkeypatch.setitem(app.config, "METRICS_TOKEN", "a token for scrapes")
    recording.start(app.config["METRICS_DIR"], "web")
    for part in (Readiness, MetricFacts):
        parts_of(app).built.pop(part, None)
    yield app
    recording.stop()


def scrape(client: Any) -> dict[Series, float]:
    answer = client.get("/metrics", headers=TOKEN)
    assert answer.status_code == 200 and answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return samples_of(answer.get_data(as_text=True))


def test_metrics_are_not_there_without_a_token_of_the_operator(client, app):
    assert client.get("/metrics").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer another"},
        {"Authorization": "Basic a token for scrapes"},
        {"Authorization": "Bearer ü"},
    ],
)
def test_metrics_are_for_who_has_the_token(client, scraping, headers):
    answer = client.get("/metrics", headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert b"frontdesk_" not in answer.data


def test_metrics_tell_what_the_servers_know(client, scraping, redis_db):
    redis_db.delete(leases.WORKERS)
    redis_db.zadd(leases.WORKERS, {"one": time.time() + 4})
    samples = scrape(client)
    assert {part: value(samples, "frontdesk_up", part=part) for part in ("database", "schema", "redis")} == {
        "database": 1,
        "schema": 1,
        "redis": 1,
    }
    assert value(samples, "frontdesk_workers") == 1
    assert {dict(labels)["queue"] for name, labels in samples if name == "frontdesk_queue_length"} == {
        "generations",
        "housekeeping",
    }
