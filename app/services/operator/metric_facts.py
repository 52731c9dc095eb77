"""The metrics that the database and Redis know: read when they are scraped, and kept for some seconds."""

import sys

import redis
import structlog
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app import VERSION
from app.extensions import celery, redis_client
from app.metrics.exposition import Fact
from app.metrics.known_names import MOST, OTHER
from app.metrics.names import BUILD, QUEUED, TASKS, UNACKNOWLEDGED, UP, WORKERS
from app.models.unfinished_tasks import count_unfinished_tasks
from app.services.operator.health import HEARTBEAT_SECONDS
from app.services.operator.readiness import readiness
from app.services.process.fresh_answers import FreshAnswer
from app.services.process.process_parts import process_parts
from app.streams import leases
from app.streams.queues import queue_lengths

log = structlog.get_logger(__name__)

KEPT_SECONDS = 5.0
WAIT_SECONDS = 2.0
HOUSEKEEPING = "housekeeping"
# Of apps, modes and states.
MOST_GROUPS = 10 * MOST


class MetricFacts:
    """Asks the database and Redis for all scrapes of a process."""

    def __init__(self, app: Flask) -> None:
        self._database = FreshAnswer(app, _ask_database, KEPT_SECONDS)
        self._redis = FreshAnswer(app, _ask_redis, KEPT_SECONDS)

    def all(self) -> list[Fact]:
        """Return what can be known in WAIT_SECONDS; a server that is away has no facts but that one."""
        self._redis.begin()
        self._database.begin()
        facts: list[Fact] = [(BUILD, (VERSION, ".".join(map(str, sys.version_info[:3]))), 1.0)]
        facts += [(UP, (name,), float(part["state"] == "up")) for name, part in readiness().parts().items()]
        facts += self._database.get(WAIT_SECONDS) or []
        facts += self._redis.get(WAIT_SECONDS) or []
        return facts


def metric_facts() -> MetricFacts:
    """Return this process's part."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy, which other threads cannot use
    return process_parts().get(MetricFacts, lambda: MetricFacts(app))


def _ask_database() -> list[Fact]:
    try:
        groups = count_unfinished_tasks(MOST_GROUPS)
    except SQLAlchemyError as failure:
        log.warning("metrics.no_facts", of="database", error=type(failure).__name__)
        return []
    # The apps with the most tasks have series of their own.
    named = list(dict.fromkeys(group.code for group in groups))[:MOST]
    numbers: dict[tuple[str, str, str], float] = {}
    for group in groups:
        key = (group.code if group.code in named else OTHER, group.mode, group.state)
        numbers[key] = numbers.get(key, 0.0) + group.number
    return [(TASKS, key, number) for key, number in numbers.items()]


def _ask_redis() -> list[Fact]:
    queues = (str(celery.conf.task_default_queue), HOUSEKEEPING)
    try:
        lengths = queue_lengths(redis_client.client, queues)
        workers = leases.live_workers(redis_client.client, HEARTBEAT_SECONDS)
    except redis.RedisError as failure:
        log.warning("metrics.no_facts", of="redis", error=type(failure).__name__)
        return []
    return [
        *((QUEUED, (queue,), float(length)) for queue, length in zip(queues, lengths.waiting, strict=True)),
        (UNACKNOWLEDGED, (), float(lengths.unacknowledged)),
        (WORKERS, (), float(len(workers))),
    ]
