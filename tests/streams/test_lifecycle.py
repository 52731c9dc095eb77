"""The contract of what runs in the background: `stop` ends its threads, safely twice and before `start`."""

import threading

import pytest
from celery import Celery
from flask import Flask

from app import worker
from app.extensions import db
from app.services.operator.metrics_server import MetricsServer
from app.services.operator.pool_levels import PoolLevels
from app.services.process import process_parts
from app.streams import leases
from app.streams.hub import Hub
from app.streams.publisher import Publisher
from app.streams.worker_runtime import WorkerRuntime
from app.worker import WorkerLifecycle
from tests.support.log_lines import lines_of
from tests.support.visitor import wait_until

OVERDUE = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def own_app(bound_app):
    """An app whose process has no parts yet."""
    app = Flask("lifecycle")
    app.config.update(bound_app.config)
    app.extensions.update(bound_app.extensions)
    process_parts.init_app(app)
    return app


def celery(*queues: str) -> Celery:
    """Celery as a worker of these queues has it."""
    bound = Celery()
    bound.conf.task_default_queue = "generations"
    bound.amqp.queues.select(list(queues))
    return bound


PARTS = ["hub", "publisher", "worker runtime", "worker lifecycle", "pool levels", "metrics server"]


@pytest.fixture(params=PARTS)
def part(request, redis_db, own_app, bound_app):
    """A part that was made and not started."""
    makers = {
        "hub": lambda: Hub(redis_db),
        "publisher": lambda: Publisher(redis_db, log_seconds=60, ended_log_seconds=60),
        "worker runtime": lambda: WorkerRuntime(redis_db, own_app.config),
        "worker lifecycle": lambda: WorkerLifecycle(celery("generations"), own_app),
        "pool levels": lambda: PoolLevels(bound_app),
        "metrics server": lambda: MetricsServer(own_app, "127.0.0.1", 0, ""),
    }
    return makers[request.param]()


@pytest.fixture
def threads():
    """Returns the threads that were started since the test began and still run."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


def test_making_it_starts_nothing(threads, part):
    assert threads() == set()


def test_a_start_returns_the_part(threads, part):
    assert part.start() is part
    assert threads()
    part.stop()


def test_a_stop_ends_every_thread(threads, part):
    part.start()
    part.stop()
    assert threads() == set()


def test_a_second_stop_does_nothing(threads, part):
    part.start()
    part.stop()
    part.stop()
    assert threads() == set()


def test_a_stop_before_the_start_does_nothing(threads, part):
    part.stop()
    assert threads() == set()


def test_a_part_that_was_stopped_stays_stopped(threads, part):
    part.stop()
    part.start()
    for thread in threads():
        thread.join(5)
    assert threads() == set()


def test_a_worker_that_stops_leaves_the_list_of_workers(redis_db, own_app):
    runtime = WorkerRuntime(redis_db, own_app.config).start()
    runtime.leases.renew([])
    runtime.stop()
    assert runtime.leases.owner not in leases.live_workers(redis_db, 60)


@pytest.fixture
def refused_writes(redis_db):
    """Redis takes no writes, until the function that this returns has seen a number of refusals."""

    def refused() -> int:
        return redis_db.info("errorstats").get("errorstat_NOREPLICAS", {}).get("count", 0)

    def until(count: int) -> None:
        wait_until(lambda: refused() >= before + count, 10, "a refusal")
        redis_db.config_set("min-replicas-to-write", 0)

    before = refused()
    redis_db.zadd(leases.LEASES, {OVERDUE: 0})
    redis_db.config_set("min-replicas-to-write", 1)
    yield until
    redis_db.config_set("min-replicas-to-write", 0)


def test_a_heartbeat_outlasts_refused_writes(redis_db, own_app, refused_writes):
    own_app.config["LEASE_SECONDS"] = 0.4
    runtime = WorkerRuntime(redis_db, own_app.config).start()
    refused_writes(2)
    wait_until(lambda: runtime.leases.owner in leases.live_workers(redis_db, 60), 10, "a heartbeat")
    runtime.stop()


def test_a_reaper_outlasts_refused_writes(redis_db, bound_app, refused_writes):
    kept = dict(bound_app.extensions)
    process_parts.init_app(bound_app)
    lifecycle = WorkerLifecycle(celery("generations"), bound_app).start()
    refused_writes(2)
    wait_until(lambda: redis_db.zscore(leases.LEASES, OVERDUE) is None, 10, "the reaper")
    lifecycle.stop()
    bound_app.extensions.update(kept)


def test_a_reaper_outlasts_old_tables(redis_db, app, monkeypatch):
    lines = lines_of(monkeypatch, worker)
    monkeypatch.setitem(app.extensions, "process_parts", process_parts.ProcessParts())
    redis_db.zadd(leases.LEASES, {OVERDUE: 0})
    with db.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE tasks RENAME TO kept_tasks")
    try:
        lifecycle = WorkerLifecycle(celery("generations"), app).start()
        wait_until(lambda: lines.of("reaper.waiting"), 10, "the reaper")
    finally:
        with db.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE kept_tasks RENAME TO tasks")
    assert "reaper" in {thread.name for thread in threading.enumerate()}
    lifecycle.stop()
    redis_db.delete(leases.LEASES, leases.OWNERS)


def test_a_process_for_housekeeping_alone_starts_nothing(threads, own_app):
    lifecycle = WorkerLifecycle(celery("housekeeping"), own_app).start()
    lifecycle.drain()
    assert threads() == set()
    lifecycle.stop()
