"""The web process's ear: one hub for all its streams, and for what it has to forget."""

import threading
from collections.abc import Callable

from flask import current_app

from app.extensions import redis_client
from app.services.auth import end_users
from app.services.definitions import published_apps
from app.streams import invalidations
from app.streams.hub import Hub

_starting = threading.Lock()
_FORGET: dict[str, Callable[[str], None]] = {"app": published_apps.forget, "end_user": end_users.forget}


def hub() -> Hub:
    """This process's, started at first use (behind gunicorn's fork)."""
    extensions = current_app.extensions
    with _starting:
        if "hub" not in extensions:
            ear = Hub(redis_client.client)
            ear.listen(invalidations.CHANNEL, _forget)
            ear.on_reconnect(_forget_all)
            extensions["hub"] = ear.start()
    started: Hub = extensions["hub"]
    return started


def _forget(message: bytes) -> None:
    kind, _, identifier = message.decode().partition(":")
    if kind in _FORGET:
        _FORGET[kind](identifier)


def _forget_all() -> None:
    published_apps.forget_all()
    end_users.forget_all()
