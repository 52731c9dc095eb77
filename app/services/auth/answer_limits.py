"""How many generations an app and a visitor may have, and how many passports a client; all are off unless set."""

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
    """Around the writing of a task's rows. Raises RateLimitError, TooManyRequests; a refusal inside gives the place back."""
    most, most_of_visitor = current_app.config["APP_ACTIVE_LIMIT"], current_app.config["VISITOR_MINUTE_LIMIT"]
    if most_of_visitor and admission_control.count(redis_client.client, str(end_user_id)) > most_of_visitor:
        raise RateLimitError
    if most and not admission_control.admit(redis_client.client, str(app_id), task_id, most):
        raise TooManyRequests
    try:
        yield
    except AppError:
        if most:
            admission_control.withdraw(redis_client.client, str(app_id), task_id)
        raise


def count_audio(end_user_id: uuid.UUID) -> None:
    """Before something is said or heard for a visitor: as many in a minute as answers, counted apart. Raises RateLimitError."""
    most = current_app.config["VISITOR_MINUTE_LIMIT"]
    if most and admission_control.count(redis_client.client, f"{end_user_id}:audio") > most:
        raise RateLimitError


def count_passport(client_address: str) -> None:
    """Raises RateLimitError where a client has had its passports of this minute."""
    most = current_app.config["PASSPORT_IP_LIMIT"]
    if most and rate_limits.count(f"passports of {client_address}", MINUTE) > most:
        raise RateLimitError
