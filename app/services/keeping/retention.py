"""Remove what is older than RETENTION_DAYS, what was deleted, and app versions that nothing needs.

Everything goes in small batches, each whole by itself, within a time: whoever comes next goes on, after a kill too.
"""

import datetime
import time
import uuid
from collections.abc import Callable, Sized

import structlog
from flask import current_app

from app.extensions import redis_client
from app.models.identifiers import now
from app.models.keeping.purges import (
    delete_old_versions,
    hide_old_conversations,
    list_old_files,
    purge_conversations,
    purge_messages,
    purge_workflow_runs,
)
from app.models.upload_files import delete_upload, storage_key
from app.services.process.providers import storage
from app.streams.channel import RedisAway

log = structlog.get_logger(__name__)

# A housekeeping task must not keep others of its queue waiting.
BUDGET_SECONDS = 60.0
BATCH = 100
FILES_AT_ONCE = 20
# Where the search for old files goes on: most of them are looked at, and stay.
_FILES_PLACE, PLACE_SECONDS = "frontdesk:retention:files", 7 * 86_400


class TimeBudget:
    """The time that a piece of housekeeping may take."""

    def __init__(self, seconds: float = BUDGET_SECONDS) -> None:
        self._end = time.monotonic() + seconds

    @property
    def is_left(self) -> bool:
        return time.monotonic() < self._end

    def repeat(self, batch: Callable[[], int | Sized]) -> int:
        """Do batches until one does nothing, or the time is over; return how much they did."""
        done = 0
        while self.is_left:
            result = batch()
            number = result if isinstance(result, int) else len(result)
            if not number:
                break
            done += number
        return done


def purge_deleted(seconds: float = BUDGET_SECONDS) -> int:
    """Remove the rows of deleted conversations; return of how many."""
    budget = TimeBudget(seconds)
    budget.repeat(lambda: purge_messages(BATCH))
    return budget.repeat(lambda: purge_conversations(BATCH))


def remove_old(seconds: float = BUDGET_SECONDS) -> None:
    """Remove what is older than RETENTION_DAYS, where that is set, and old app versions.

    Conversations go by their last activity with all their messages, workflow runs by their end, files by their upload
    where nothing names them that is kept. What is under way or waits for people stays.
    """
    budget = TimeBudget(seconds)
    removed = {"versions": budget.repeat(lambda: delete_old_versions(BATCH))}
    days: int = current_app.config["RETENTION_DAYS"]
    if days:
        before = now() - datetime.timedelta(days=days)
        removed["runs"] = budget.repeat(lambda: purge_workflow_runs(before, BATCH))
        removed["conversations"] = budget.repeat(lambda: hide_old_conversations(before, BATCH))
        purge_deleted(seconds)
        removed["files"] = _remove_old_files(before, budget)
    if any(removed.values()):
        log.info("retention.removed", **removed)


def _remove_old_files(before: datetime.datetime, budget: TimeBudget) -> int:
    """Remove old files that nothing names, from where the last search ended; return how many."""
    place, removed = _read_place(), 0
    while budget.is_left:
        files = list_old_files(before, place, FILES_AT_ONCE)
        for file in files:
            if not file.named:
                storage().delete(storage_key(file.app_id, file.id))
                delete_upload(file.id)
                removed += 1
        place = (files[-1].created_at, files[-1].id) if len(files) == FILES_AT_ONCE else None
        if place is None:
            break
    _write_place(place)
    return removed


def _read_place() -> tuple[datetime.datetime, uuid.UUID] | None:
    try:
        found = redis_client.client.get(_FILES_PLACE)
    except RedisAway:
        found = None
    if not isinstance(found, bytes):
        return None
    moment, _, file_id = found.decode().partition(" ")
    return datetime.datetime.fromisoformat(moment), uuid.UUID(file_id)


def _write_place(place: tuple[datetime.datetime, uuid.UUID] | None) -> None:
    try:
        if place is None:
            redis_client.client.delete(_FILES_PLACE)
        else:
            redis_client.client.set(_FILES_PLACE, f"{place[0].isoformat()} {place[1]}", ex=PLACE_SECONDS)
    except RedisAway as away:
        # The next search begins with the oldest file.
        log.warning("retention.place_not_kept", error=str(away))
