"""How a task stands: for a reconnecting client, for history, and for workers that look for lost ones."""

import contextlib
import datetime
import uuid

import orjson

from app.errors import AppError, NotFound
from app.extensions import redis_client
from app.models import tasks
from app.models.identifiers import now
from app.models.owners import Owner
from app.models.tasks import TaskState, fail_unclaimed_task, find_owned_task, find_task, list_unfinished_tasks
from app.services.events.message_events import failure_of
from app.streams import leases, signals
from app.streams.channel import RedisAway, last_logged, read_log

# Longer than a web process waits for Redis before it gives a question up.
NEVER_QUEUED_AFTER = datetime.timedelta(seconds=5)


def find(app_id: uuid.UUID, end_user_id: uuid.UUID, identifier: str) -> TaskState:
    """The end user's task of this task id or message id. Raises NotFound."""
    try:
        wanted = str(uuid.UUID(identifier))
    except ValueError:
        raise NotFound from None
    state = find_owned_task(Owner(app_id, end_user_id), wanted)
    if state is None:
        raise NotFound
    return state


def current(task_id: str) -> TaskState | None:
    """A task as it stands now."""
    return find_task(task_id)


def answer_so_far(task_id: str, stored: str = "", number: int = 0) -> tuple[str, int]:
    """The text of a running answer, and the number of the last event read.

    `stored`: the text as it was at event `number`, where the run last waited for people; the event log has the rest.
    """
    parts = [stored]
    for event in read_log(redis_client.client, task_id, number):
        number = event.number
        body = orjson.loads(event.data)
        match body:
            case {"event": "message_replace", "answer": text} | {"event": "text_replace", "data": {"text": text}}:
                parts = [text]
            case {"answer": text} | {"event": "text_chunk", "data": {"text": text}}:
                parts.append(text)
    return "".join(parts), number


def last_number(state: TaskState) -> int:
    """The number of the last event of a task that the log knows of, else of the last that its row knows of."""
    last = last_logged(redis_client.client, state.task_id)
    return state.last_event if last is None else last.number


def abandon(task_id: str, error: AppError) -> None:
    """End a task that could not be queued, or stop it where a worker has found it meanwhile: its caller was told so."""
    if not fail_unclaimed_task(task_id, failure_of(error), error.message, now()):
        with contextlib.suppress(*RedisAway):
            signals.request_stop(redis_client.client, task_id)


def find_lost(most: int = 500) -> list[str]:
    """Unfinished tasks that nobody executes or waits for; each is given to one caller, to be queued."""
    unfinished = list_unfinished_tasks(now() - NEVER_QUEUED_AFTER, most)
    return leases.note_queued(redis_client.client, unfinished) if unfinished else []


def find_abandoned(queue_length: int) -> list[str]:
    """Tasks whose worker is gone, and where the queue is empty those that should have been taken from it."""
    reaped = leases.reap(redis_client.client)
    return reaped.orphans + (reaped.overdue if queue_length == 0 else [])


def is_running(state: TaskState) -> bool:
    return state.status == tasks.RUNNING


def is_paused(state: TaskState) -> bool:
    """Whether its run waits for people."""
    return state.status == tasks.PAUSED


def says_no_more(state: TaskState | None, after: int) -> bool:
    """Whether a reader that has event `after` must not wait for live ones: all that follows stands in the rows."""
    if state is None:
        return True
    if is_paused(state):
        return after < state.last_event
    return not is_running(state)
