"""Whether the parts that answers need are there, and how quickly they answer."""

import threading
import time
from collections.abc import Callable
from typing import Any

import redis
import requests
from cachetools import TTLCache, cached
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import redis_client
from app.models.execution import ping
from app.models.schema import find_server_version, list_schema_revisions
from app.providers.http.outgoing import DIRECT
from app.services.operator.readiness import schema_part
from app.streams import leases

HEARTBEAT_SECONDS = 5.0
MODEL_SECONDS = 2.0
MODEL_REMEMBERED_SECONDS = 2.0


def check_postgres() -> dict[str, Any]:
    return _timed(_ask_postgres)


def check_schema() -> dict[str, Any]:
    """Up where the tables are those that the code needs, or newer ones."""
    return _timed(lambda: schema_part(list_schema_revisions()))


def check_redis() -> dict[str, Any]:
    return _timed(_ask_redis)


def check_worker() -> dict[str, Any]:
    """Up where at least one worker process has a fresh heartbeat."""
    state = _timed(lambda: {"processes": len(leases.live_workers(redis_client.client, HEARTBEAT_SECONDS))})
    return state if state.get("processes") else state | {"state": "down"}


def check_model() -> dict[str, Any]:
    """Ask the embedded model, at most every two seconds; other model servers are named, and not called."""
    settings = current_app.config
    if not settings["LOCAL_MODEL_FILE"]:
        return {"state": "up", "kind": "remote"}
    about = {"kind": "local", "file": settings["LOCAL_MODEL_FILE"], "sha256": settings["LOCAL_MODEL_SHA256"]}
    return about | _model_state(settings["OPENAI_BASE_URL"])


@cached(TTLCache(maxsize=1, ttl=MODEL_REMEMBERED_SECONDS), lock=threading.Lock())
def _model_state(address: str) -> dict[str, Any]:
    return _timed(lambda: _ask_model(address))


def _ask_postgres() -> dict[str, Any]:
    ping()
    return {"version": find_server_version()}


def _ask_redis() -> dict[str, Any]:
    answer = bool(redis_client.client.ping())
    try:
        about: Any = redis_client.client.info("server")
    except redis.ResponseError:
        # A user of Redis may be allowed less.
        about = {}
    return {"answer": answer, "version": about.get("valkey_version") or about.get("redis_version")}


def _ask_model(address: str) -> dict[str, Any]:
    requests.get(f"{address}/models", timeout=MODEL_SECONDS, proxies=DIRECT).raise_for_status()
    return {}


def _timed(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        found = ask()
    except (SQLAlchemyError, redis.RedisError, requests.RequestException) as failure:
        return {"state": "down", "error": type(failure).__name__}
    return {"state": "up", "latency_ms": round((time.monotonic() - began) * 1000, 2), **found}
