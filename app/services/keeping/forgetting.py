"""Forget a person: end users, account, and everything of theirs, in PostgreSQL, in the file storage and in Redis."""

import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from app.extensions import db, redis_client
from app.models.keeping.forgetting import (
    PersonCounts,
    begin_to_forget,
    count_person,
    delete_conversations_of,
    delete_end_users,
    delete_messages_of,
    delete_runs_of,
    find_person_account,
    free_usage_of,
    list_end_users_to_forget,
    list_files_of,
    list_marked_of,
    list_running_tasks_of,
)
from app.models.reports.people import list_end_user_ids
from app.models.upload_files import delete_upload, storage_key
from app.services.auth import end_users
from app.services.keeping.retention import TimeBudget
from app.services.process.providers import storage
from app.services.reports.report_filters import id_or_none
from app.streams import signals
from app.streams.channel import RedisAway, forget_task

log = structlog.get_logger(__name__)

BATCH = 100
PEOPLE_AT_ONCE = 20
# Answers that are stopped end within a second; what ends later finds no rows any more.
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class FoundIdentity:
    """Who is to be forgotten: end users, those whose forgetting was cut off earlier too, and an address."""

    end_user_ids: tuple[uuid.UUID, ...]
    email: str | None

    @property
    def is_nobody(self) -> bool:
        return not self.end_user_ids and self.email is None


def find_identity(reference: str) -> FoundIdentity:
    """Return who an e-mail address, an account's id, an end user's id or a session id stands for.

    An account stands for all its end users, a session id for that session in all apps, an end user's id for that end
    user alone. An address without an account may be in mails of forms.
    """
    wanted = id_or_none(reference)
    account = find_person_account(reference.strip().lower(), wanted)
    email = account.email if account is not None else reference.strip().lower() if "@" in reference else None
    found = set(list_end_user_ids(reference, wanted))
    for session in {reference} if email is None else {reference, email}:
        found |= {*list_end_user_ids(session, None), *list_marked_of(session)}
    if email is not None and account is None and not count_person((), email).form_mails:
        email = None
    return FoundIdentity(tuple(sorted(found)), email)


def count(identity: FoundIdentity) -> PersonCounts:
    """Return what of a person is there."""
    return count_person(identity.end_user_ids, identity.email)


def forget(identity: FoundIdentity, tell: Callable[[str], None] = lambda step: None) -> list[str]:
    """Remove a person with everything; return what the operator should know.

    Passports, logins and links are invalid from the first statement on. Where this is cut off, housekeeping or the next
    call goes on with it. Raises ServiceUnavailable where the file storage does not answer. `tell` is told each step.
    """
    with db.engine.begin() as connection:
        begin_to_forget(connection, identity.end_user_ids, identity.email)
    tell("invalid from now on: passports, logins, links to files")
    warnings = _announce(identity.end_user_ids)
    _remove(identity.end_user_ids, tell)
    return warnings


def go_on(seconds: float = 60.0) -> int:
    """Remove what is left of people whose forgetting was cut off; return how many end users."""
    budget, removed = TimeBudget(seconds), 0
    while budget.is_left and (people := list_end_users_to_forget(PEOPLE_AT_ONCE)):
        _remove(people, lambda step: None)
        removed += len(people)
    if removed:
        log.info("person.forgotten", end_users=removed)
    return removed


def _announce(end_user_ids: Iterable[uuid.UUID]) -> list[str]:
    """Let every process drop what it remembers of them."""
    try:
        for end_user_id in end_user_ids:
            end_users.forget(str(end_user_id))
            signals.announce_change(redis_client.client, f"end_user:{end_user_id}")
    except RedisAway:
        return [
            "Redis cannot be reached: running servers notice this within 30 seconds, and event logs of the last"
            " answers stay until they run out."
        ]
    return []


def _remove(end_user_ids: Sequence[uuid.UUID], tell: Callable[[str], None]) -> None:
    _stop_answers(end_user_ids)
    tell("answers under way are stopped")
    _repeat("messages", tell, lambda: _forget_logs(delete_messages_of(end_user_ids, BATCH)))
    _repeat("workflow runs", tell, lambda: _forget_logs(delete_runs_of(end_user_ids, BATCH)))
    _repeat("conversations", tell, lambda: len(delete_conversations_of(end_user_ids, BATCH)))
    _repeat("files", tell, lambda: _remove_files(end_user_ids))
    _repeat("usage records without a name", tell, lambda: len(free_usage_of(end_user_ids, BATCH * 10)))
    delete_end_users(end_user_ids)


def _repeat(name: str, tell: Callable[[str], None], batch: Callable[[], int]) -> None:
    done = 0
    while number := batch():
        done += number
        tell(f"{name}: {done}")


def _stop_answers(end_user_ids: Sequence[uuid.UUID]) -> None:
    """Ask running answers to stop, and wait a moment until they have."""
    end = time.monotonic() + STOP_SECONDS
    asked: set[str] = set()
    while (running := list_running_tasks_of(end_user_ids)) and time.monotonic() < end:
        try:
            for task_id in set(running) - asked:
                signals.request_stop(redis_client.client, task_id)
        except RedisAway:
            return
        asked |= set(running)
        time.sleep(0.1)


def _remove_files(end_user_ids: Sequence[uuid.UUID]) -> int:
    files = list_files_of(end_user_ids, BATCH)
    for file in files:
        storage().delete(storage_key(file.app_id, file.id))
        delete_upload(file.id)
    return len(files)


def _forget_logs(task_ids: list[str]) -> int:
    try:
        for task_id in task_ids:
            forget_task(redis_client.client, task_id)
    except RedisAway as away:
        log.warning("person.logs_not_removed", error=str(away))
    return len(task_ids)
