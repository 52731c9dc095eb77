"""What operators, balancers and Prometheus ask: outside /api and the OpenAPI document.

GET /livez    whether this process answers; asks nobody
GET /readyz   whether it can serve: database, tables, Redis
GET /health   all parts, for people and for `make run`
GET /metrics  for Prometheus, with METRICS_TOKEN
"""

import platform
from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue

from app.errors import NotFound, ServiceUnavailable, Unauthorized
from app.metrics.exposition import CONTENT_TYPE
from app.services.operator import health
from app.services.operator.metrics_server import is_token
from app.services.operator.metrics_text import metrics_text
from app.services.operator.readiness import readiness

log = structlog.get_logger(__name__)

NOT_KEPT = {"Cache-Control": "no-store"}

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "postgres": health.check_postgres,
    "schema": health.check_schema,
    "redis": health.check_redis,
    "worker": health.check_worker,
    "model": health.check_model,
}


def init_app(app: Flask) -> None:
    """Add the routes."""
    app.add_url_rule("/livez", "livez", _livez)
    app.add_url_rule("/readyz", "readyz", _readyz)
    app.add_url_rule("/health", "health", _health)
    app.add_url_rule("/metrics", "metrics", _metrics)


def _livez() -> ResponseReturnValue:
    return jsonify(status="ok"), 200, NOT_KEPT


def _readyz() -> ResponseReturnValue:
    """Return each part with its state; 200 if all are up, else 503."""
    parts = readiness().parts()
    ready = all(part["state"] == "up" for part in parts.values())
    return jsonify(status="ready" if ready else "not ready", **parts), 200 if ready else 503, NOT_KEPT


def _metrics() -> ResponseReturnValue:
    """Return the metrics of all processes of this host. Raises NotFound, Unauthorized, ServiceUnavailable."""
    token = current_app.config["METRICS_TOKEN"]
    if not token:
        raise NotFound
    if not is_token(request.headers.get("Authorization", ""), token):
        raise Unauthorized
    try:
        return Response(metrics_text(), content_type=CONTENT_TYPE, headers=NOT_KEPT)
    except OSError as problem:
        log.error("metrics.not_read", error=problem.strerror or str(problem))
        raise ServiceUnavailable from None


def _health() -> ResponseReturnValue:
    """Return each part with its state and latency; 200 if all are up, else 503."""
    versions = {"version": current_app.config["VERSION"], "python": platform.python_version()}
    parts = {"web": {"state": "up", **versions}} | {name: check() for name, check in PARTS.items()}
    healthy = all(part["state"] == "up" for part in parts.values())
    return jsonify(status="ok" if healthy else "degraded", **parts), 200 if healthy else 503
