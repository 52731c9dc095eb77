"""Reply with a task's events: as SSE frames, or in one body in blocking mode (contract streaming.md §1, §7, §9.4)."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import chain

import orjson
import structlog
from flask import Response

from app import tasks
from app.api.process_hub import hub
from app.errors import InvalidParam, ServiceUnavailable
from app.metrics.names import CLIENT_RECONNECTS
from app.models.tasks import ClaimedTask, TaskState
from app.services.auth import answer_limits, day_budgets
from app.services.auth.asker import Asker
from app.services.auth.open_streams import OpenStream
from app.services.events import task_states
from app.services.events.blocking_answers import blocking_answer
from app.services.events.event_reader import SILENCE, EventGroup, EventReader
from app.streams.channel import ChannelEvent

log = structlog.get_logger(__name__)

PING = b"event: ping\n\n"
HEADERS = {"Cache-Control": "no-cache", "Connection": "keep-alive", "X-Accel-Buffering": "no"}
LARGEST_NUMBER = 18


def run_and_reply(asker: Asker, begin: Callable[[], ClaimedTask], streaming: bool) -> Response:
    """Begin a task, subscribe, then enqueue it, then relay its events. `begin` commits the task's rows.

    Raises what `begin` raises, RateLimitError and TooManyRequests where the asker has had its share, ServiceUnavailable
    where the queue is away, and in blocking mode the error that ended the task.
    """
    answer_limits.count_for_address("answers", asker.address)
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(contextlib.closing(OpenStream.of(asker)))
        with day_budgets.counted(asker) as allowance:
            task = begin()
        try:
            allowance.note(task.task_id)
            reader = opened.enter_context(contextlib.closing(EventReader(hub(), task.task_id)))
            tasks.enqueue(task.task_id, with_speech=streaming)
        except tasks.QueueAway as away:
            log.error("generation.not_queued", task_id=task.task_id, error=str(away))
            task_states.fail_unqueued(task, ServiceUnavailable())
            raise ServiceUnavailable from away
        groups = stream.kept(reader.events(0, look_back=False))
        if not streaming:
            return Response(orjson.dumps(blocking_answer(task, groups)), mimetype="application/json")
        opened.pop_all()
    # Workflow-based streams open with a ping (contract streaming.md §1).
    return _reply(groups if task.workflow_run_id is None else chain([SILENCE], groups), reader, stream)


def resume(asker: Asker, state: TaskState, last_event_id: str | None, with_snapshot: bool) -> Response:
    """Go on with a task where a client left off. Raises InvalidParam, TooManyRequests.

    `last_event_id`: the header, None or empty where the client has seen nothing. `with_snapshot`: whether a workflow
    run tells what happened before (contract streaming.md §9).
    """
    after = _event_number((last_event_id or "").strip())
    with contextlib.ExitStack() as opened:
        stream = opened.enter_context(contextlib.closing(OpenStream.of(asker)))
        reader = opened.enter_context(contextlib.closing(EventReader(hub(), state.task_id)))
        groups = stream.kept(reader.resume(state, after, with_snapshot))
        opened.pop_all()
    CLIENT_RECONNECTS.add()
    return _reply(groups, reader, stream)


def _reply(groups: Iterator[EventGroup], reader: EventReader, stream: OpenStream) -> Response:
    frames = (b"".join(map(_frame, group)) or PING for group in groups)
    reply = Response(frames, mimetype="text/event-stream", headers=HEADERS)
    # A `finally` never runs in a stream that nobody began to read.
    reply.call_on_close(reader.close)
    reply.call_on_close(stream.close)
    return reply


def _frame(event: ChannelEvent) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.number, event.data) if event.number else b"data: %b\n\n" % event.data


def _event_number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdecimal() and len(text) <= LARGEST_NUMBER):
        raise InvalidParam("Last-Event-ID must be a whole number of at least 0.")
    return int(text) if text else None
