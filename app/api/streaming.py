"""Reply with a task's events: as SSE frames, or in one body in blocking mode (contract streaming.md §1, §7, §9.4)."""

import contextlib
from collections.abc import Iterator
from itertools import chain

import orjson
import structlog
from flask import Response

from app import tasks
from app.api.process_hub import hub
from app.errors import InvalidParam, ServiceUnavailable
from app.models.tasks import ClaimedTask, TaskState
from app.services.events import task_states
from app.services.events.blocking_answers import blocking_answer
from app.services.events.event_reader import SILENCE, EventGroup, EventReader
from app.streams.channel import ChannelEvent

log = structlog.get_logger(__name__)

PING = b"event: ping\n\n"
HEADERS = {"Cache-Control": "no-cache", "Connection": "keep-alive", "X-Accel-Buffering": "no"}
LARGEST_NUMBER = 18


def run_and_reply(task: ClaimedTask, streaming: bool) -> Response:
    """Subscribe, then enqueue a committed task, then relay its events.

    Raises ServiceUnavailable where the queue is away, in blocking mode also the error that ended the task.
    """
    with contextlib.ExitStack() as opened:
        try:
            reader = opened.enter_context(contextlib.closing(EventReader(hub(), task.task_id)))
            tasks.enqueue(task.task_id, with_speech=streaming)
        except tasks.QueueAway as away:
            log.error("generation.not_queued", task_id=task.task_id, error=str(away))
            task_states.fail_unqueued(task.task_id, ServiceUnavailable())
            raise ServiceUnavailable from away
        groups = reader.events(0, look_back=False)
        if not streaming:
            return Response(orjson.dumps(blocking_answer(task, groups)), mimetype="application/json")
        opened.pop_all()
    # Workflow-based streams open with a ping (contract streaming.md §1).
    return _stream(groups if task.workflow_run_id is None else chain([SILENCE], groups), reader)


def resume(state: TaskState, last_event_id: str | None, with_snapshot: bool) -> Response:
    """Go on with a task where a client left off. Raises InvalidParam.

    `last_event_id`: the header, None or empty where the client has seen nothing. `with_snapshot`: whether a workflow
    run tells what happened before (contract streaming.md §9).
    """
    after = _event_number((last_event_id or "").strip())
    with contextlib.ExitStack() as opened:
        reader = opened.enter_context(contextlib.closing(EventReader(hub(), state.task_id)))
        groups = reader.resume(state, after, with_snapshot)
        opened.pop_all()
    return _stream(groups, reader)


def _stream(groups: Iterator[EventGroup], reader: EventReader) -> Response:
    frames = (b"".join(map(_frame, group)) or PING for group in groups)
    reply = Response(frames, mimetype="text/event-stream", headers=HEADERS)
    # A `finally` never runs in a stream that nobody began to read.
    reply.call_on_close(reader.close)
    return reply


def _frame(event: ChannelEvent) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.number, event.data) if event.number else b"data: %b\n\n" % event.data


def _event_number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdecimal() and len(text) <= LARGEST_NUMBER):
        raise InvalidParam("Last-Event-ID must be a whole number of at least 0.")
    return int(text) if text else None
