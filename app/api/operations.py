"""GET /health, for operators and `make run`: outside /api and the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, jsonify
from flask.typing import ResponseReturnValue

from app.services.operator import health

PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "postgres": health.check_postgres,
    "redis": health.check_redis,
    "worker": health.check_worker,
    "model": health.check_model,
}


def init_app(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule("/health", "health", _health)


def _health() -> ResponseReturnValue:
    """Return each part with its state and latency; 200 if all are up, else 503."""
    parts = {"web": {"state": "up", "version": current_app.config["VERSION"]}} | {
        name: check() for name, check in PARTS.items()
    }
    healthy = all(part["state"] == "up" for part in parts.values())
    return jsonify(status="ok" if healthy else "degraded", **parts), 200 if healthy else 503
