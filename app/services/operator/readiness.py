"""Whether a web process can serve: what a load balancer asks, often and from many places."""

import time
from typing import Any

import redis
from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import redis_client
from app.models.schema import list_schema_revisions
from app.services.operator.schema import UPGRADE, SchemaState, code_schema
from app.services.process.fresh_answers import FreshAnswer
from app.services.process.process_parts import process_parts

# How long an answer counts, and how long one is waited for.
KEPT_SECONDS = 1.0
WAIT_SECONDS = 2.0

Part = dict[str, Any]


class Readiness:
    """Asks the database and Redis for all probes of a process, each at most once a second."""

    def __init__(self, app: Flask) -> None:
        self._database = FreshAnswer(app, _ask_database, KEPT_SECONDS)
        self._redis = FreshAnswer(app, _ask_redis, KEPT_SECONDS)

    def parts(self) -> dict[str, Part]:
        """Return `database`, `schema` and `redis`, each with its `state`, `up` or `down`; within WAIT_SECONDS."""
        # Both are asked before one is waited for.
        self._redis.begin()
        database = self._database.get(WAIT_SECONDS) or {"database": _silent(), "schema": _unknown()}
        return {**database, "redis": self._redis.get(WAIT_SECONDS) or _silent()}


def readiness() -> Readiness:
    """Return this process's part."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy, which other threads cannot use
    return process_parts().get(Readiness, lambda: Readiness(app))


def schema_part(revisions: list[str]) -> Part:
    """Return the state of the tables as probes and `/health` tell it."""
    schema = code_schema()
    state = schema.compare(revisions)
    part = {
        "state": "up" if state in (SchemaState.CURRENT, SchemaState.NEWER) else "down",
        "tables": state.value,
        "revision": ", ".join(revisions) or None,
        "expected": ", ".join(sorted(schema.newest)),
    }
    return part if part["state"] == "up" else part | {"error": UPGRADE}


def _ask_database() -> dict[str, Part]:
    began = time.monotonic()
    try:
        revisions = list_schema_revisions()
    except SQLAlchemyError as failure:
        return {"database": {"state": "down", "error": type(failure).__name__}, "schema": _unknown()}
    return {"database": {"state": "up", "latency_ms": _milliseconds(began)}, "schema": schema_part(revisions)}


def _ask_redis() -> Part:
    began = time.monotonic()
    try:
        redis_client.client.ping()
    except redis.RedisError as failure:
        return {"state": "down", "error": type(failure).__name__}
    return {"state": "up", "latency_ms": _milliseconds(began)}


def _milliseconds(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)


def _silent() -> Part:
    return {"state": "down", "error": f"no answer within {WAIT_SECONDS:.0f} s"}


def _unknown() -> Part:
    return {"state": "down", "error": "the database does not answer"}
