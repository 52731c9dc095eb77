"""The hub of a web process: one Redis subscription for all its streams and for what it has to forget."""

from collections.abc import Callable

from app.extensions import redis_client
from app.services.auth import end_users
from app.services.definitions import published_apps
from app.services.process.process_parts import process_parts
from app.streams import signals
from app.streams.hub import Hub

_FORGET: dict[str, Callable[[str], None]] = {"app": published_apps.forget, "end_user": end_users.forget}


def hub() -> Hub:
    """Return this process's hub, started on first use: after gunicorn's fork."""
    return process_parts().get(Hub, _start, Hub.stop)


def _start() -> Hub:
    started = Hub(redis_client.client)
    started.listen(signals.CHANGES, _forget)
    started.on_reconnect(_forget_all)
    return started.start()


def _forget(message: bytes) -> None:
    kind, _, identifier = message.decode().partition(":")
    if kind in _FORGET:
        _FORGET[kind](identifier)


def _forget_all() -> None:
    published_apps.forget_all()
    end_users.forget_all()
