"""Limits on what end users and clients may ask for: tasks, speech, passports. Each is off unless its setting is set."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from app.errors import AppError, RateLimitError, TooManyRequests
from app.extensions import redis_client
from app.services.auth import rate_limits
from app.streams import admission_control

MINUTE = 60


@contextmanager
def admitted(app_id: uuid.UUID, end_user_id: uuid.UUID, task_id: str) -> Iterator[None]:
    """Admit a task while its rows are written; an AppError inside takes the admission back.

    Raises RateLimitError (VISITOR_MINUTE_LIMIT), TooManyRequests (APP_ACTIVE_LIMIT).
    """
    _count(f"answers of {end_user_id}", "VISITOR_MINUTE_LIMIT")
    most = current_app.config["APP_ACTIVE_LIMIT"]
    if most and not admission_control.admit(redis_client.client, str(app_id), task_id, most):
        raise TooManyRequests
    try:
        yield
    except AppError:
        if most:
            admission_control.withdraw(redis_client.client, str(app_id), task_id)
        raise


def count_audio(end_user_id: uuid.UUID) -> None:
    """Count a call of a speech or transcription model. Raises RateLimitError after as many in a minute as answers."""
    _count(f"audio of {end_user_id}", "VISITOR_MINUTE_LIMIT")


def count_passport(client_address: str) -> None:
    """Count a passport of a client. Raises RateLimitError (PASSPORT_IP_LIMIT)."""
    _count(f"passports of {client_address}", "PASSPORT_IP_LIMIT")


def _count(subject: str, setting: str) -> None:
    most = current_app.config[setting]
    if most and rate_limits.count(subject, MINUTE) > most:
        raise RateLimitError
