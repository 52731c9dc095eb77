"""Limits on what end users and clients may ask for: tasks, speech, passports, uploads. A setting of 0 is no limit."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from app.errors import AppError, FileTooLarge, RateLimitError, TooManyRequests
from app.extensions import redis_client
from app.models.owners import Owner
from app.models.upload_files import sum_of_sizes
from app.services.auth import rate_limits
from app.services.auth.asker import Asker
from app.streams import admission_control

MINUTE = 60
DAY = 86_400
MEGABYTE = 1_048_576


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


def count_passport(client_address: str) -> None:
    """Count a passport of a client. Raises RateLimitError (PASSPORT_IP_LIMIT)."""
    _count(f"passports of {client_address}", "PASSPORT_IP_LIMIT")


def count_for_address(what: str, address: str) -> None:
    """Count what an address asks for. Raises RateLimitError (ADDRESS_MINUTE_LIMIT)."""
    _count(f"{what} of {address}", "ADDRESS_MINUTE_LIMIT")


def count_request(what: str, asker: Asker) -> None:
    """Count a request that calls a model or another server, or stores a file, each kind apart: `what` names it.

    Raises RateLimitError (VISITOR_MINUTE_LIMIT, ADDRESS_MINUTE_LIMIT): there may be as many in a minute as answers.
    """
    _count(f"{what} of {asker.end_user_id}", "VISITOR_MINUTE_LIMIT")
    count_for_address(what, asker.address)


def count_upload(asker: Asker) -> None:
    """Count an upload before its content comes.

    Raises RateLimitError (VISITOR_MINUTE_LIMIT, ADDRESS_MINUTE_LIMIT), FileTooLarge where the end user stores as much
    as VISITOR_STORAGE_MB allows, and TooManyRequests where the address has sent ADDRESS_DAY_UPLOAD_MB.
    """
    count_request("uploads", asker)
    most = current_app.config["VISITOR_STORAGE_MB"]
    if most and sum_of_sizes(Owner(asker.app_id, asker.end_user_id)) >= most * MEGABYTE:
        raise FileTooLarge(f"Your files take {most} MB already, the most that is kept for one person.")
    most = current_app.config["ADDRESS_DAY_UPLOAD_MB"]
    if most and rate_limits.so_far(_uploaded(asker)) >= most * MEGABYTE:
        raise TooManyRequests("Too much was uploaded today. Please come back tomorrow.", retry_after=DAY)


def note_upload(asker: Asker, size: int) -> None:
    """Count the bytes of a file that was stored for the day of its address."""
    if current_app.config["ADDRESS_DAY_UPLOAD_MB"]:
        rate_limits.count(_uploaded(asker), DAY, size)


def _uploaded(asker: Asker) -> str:
    return f"uploaded bytes of {asker.address}"


def _count(subject: str, setting: str) -> None:
    most = current_app.config[setting]
    if most and rate_limits.count(subject, MINUTE) > most:
        raise RateLimitError
