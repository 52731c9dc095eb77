"""The state of tasks, for readers that come late or come back."""

import contextlib
import uuid

import orjson

from app.errors import AppError, NotFound
from app.extensions import redis_client
from app.models import tasks
from app.models.identifiers import now
from app.models.owners import Owner
from app.models.tasks import ClaimedTask, TaskState, fail_unclaimed_task, find_owned_task
from app.services.events.answer_lines import log_never_begun
from app.services.events.message_events import failure_of
from app.streams import signals
from app.streams.channel import RedisAway, last_logged, read_log


def find_owned(app_id: uuid.UUID, end_user_id: uuid.UUID, identifier: str) -> TaskState:
    """Return an end user's task by its id, or by that of its message or workflow run. Raises NotFound."""
    try:
        wanted = str(uuid.UUID(identifier))
    except ValueError:
        raise NotFound from None
    state = find_owned_task(Owner(app_id, end_user_id), wanted)
    if state is None:
        raise NotFound
    return state


def answer_so_far(task_id: str, stored: str = "", number: int = 0) -> tuple[str, int]:
    """Return the text of a running answer, and the number of the last event in it.

    `stored`: the text at event `number`, where the run last waited for people. The event log has the rest.
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


def last_event_number(state: TaskState) -> int:
    """Return the number of the last event in a task's log; without a log, of the last that its row knows of."""
    last = last_logged(redis_client.client, state.task_id)
    return state.last_event if last is None else last.number


def fail_unqueued(task: ClaimedTask, error: AppError) -> None:
    """Fail a task that could not be enqueued; stop it where a worker has claimed it meanwhile.

    Either way its caller gets the error.
    """
    if fail_unclaimed_task(task.task_id, failure_of(error), error.message, now()):
        log_never_begun(task, error)
        return
    with contextlib.suppress(*RedisAway):
        signals.request_stop(redis_client.client, task.task_id)


def is_running(state: TaskState) -> bool:
    return state.status == tasks.RUNNING


def is_paused(state: TaskState) -> bool:
    """Whether its run waits for people."""
    return state.status == tasks.PAUSED


def rest_is_stored(state: TaskState | None, after: int) -> bool:
    """Whether all events behind `after` can be made from the rows: a reader need not wait for live ones."""
    if state is None:
        return True
    if is_paused(state):
        return after < state.last_event
    return not is_running(state)
