"""From a run's channel to the caller: SSE frames, or one body in blocking mode (contract streaming.md §1, §7, §9.4)."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import orjson
import redis
import structlog
from flask import Flask, Response, current_app
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy.exc import OperationalError

from app import tasks
from app.api.process_hub import hub
from app.errors import AppError, InvalidParam, ServiceUnavailable
from app.extensions import redis_client
from app.models.generations import ClaimedTask, TaskState
from app.services.events import run_snapshots, task_states
from app.services.events.message_events import MessageEvents
from app.services.events.stored_frames import frames_so_far, stored_frames
from app.streams.channel import ChannelEvent, LogLost, log_exists, speech_follows
from app.streams.hub import Subscription
from app.streams.relay import follow

log = structlog.get_logger(__name__)

PING = b"event: ping\n\n"
HEADERS = {"Cache-Control": "no-cache", "Connection": "keep-alive", "X-Accel-Buffering": "no"}
LARGEST_NUMBER = 18


def run_and_reply(task: ClaimedTask, streaming: bool) -> Response:
    """Subscribe, then enqueue a committed task, then relay. Raises ServiceUnavailable, in blocking mode the run's error."""
    try:
        subscription = hub().subscribe(task.task_id)
        tasks.enqueue(task.task_id, aloud=streaming)
    except (redis.ConnectionError, redis.TimeoutError, BrokerError) as away:
        log.error("generation.not_queued", task_id=task.task_id, error=str(away))
        task_states.abandon(task.task_id, ServiceUnavailable())
        raise ServiceUnavailable from away
    reader = EventReader(subscription)
    if streaming:
        # Workflow-based streams open with a ping (contract streaming.md §1).
        frames = reader.frames(0, look_back=False)
        return sse(frames if task.workflow_run_id is None else chain([PING], frames), subscription)
    try:
        return _blocking(task, reader)
    finally:
        subscription.close()


def resume(state: TaskState, last_event_id: str | None, with_snapshot: bool) -> Response:
    """Go on with a run where a client left off. `last_event_id`: the header, None or empty where the client has seen nothing.

    `with_snapshot`: whether a workflow run tells what happened before (contract streaming.md §9).
    """
    after = _event_number(last_event_id)
    subscription = hub().subscribe(state.task_id)
    # Read again: it may have ended before we listened.
    now = task_states.current(state.task_id) or state
    if now.workflow_run_id is not None and not (last_event_id or "").strip():
        return sse(_late_reader(now, EventReader(subscription), with_snapshot), subscription)
    if (
        not (task_states.is_running(now) or task_states.is_paused(now))
        and after >= now.last_event
        and not speech_follows(redis_client.client, state.task_id, after)
    ):
        return sse(iter(()), subscription)
    return sse(EventReader(subscription).frames(after, look_back=True), subscription)


def _late_reader(state: TaskState, reader: "EventReader", with_snapshot: bool) -> Iterator[bytes]:
    """A workflow run for a client that has seen nothing of it: the end alone, or what follows from now on."""
    if not (task_states.is_running(state) or task_states.is_paused(state)):
        return map(_made_frame, run_snapshots.single_frame(state))
    if not with_snapshot:
        return chain([PING], reader.frames(task_states.last_number(state), look_back=True))
    answer, after = _answer_of(state)
    frames = [PING, *map(_made_frame, run_snapshots.snapshot(state, answer))]
    return iter(frames) if task_states.is_paused(state) else chain(frames, reader.frames(after, look_back=True))


def _answer_of(state: TaskState) -> tuple[str, int]:
    """What the visitor of a run has been told so far, and the number of the last event in it."""
    return task_states.answer_so_far(state.task_id, state.answer, state.last_event)


def sse(frames: Iterator[bytes], subscription: Subscription) -> Response:
    reply = Response(frames, mimetype="text/event-stream", headers=HEADERS)
    # A `finally` never runs in a stream that nobody began to read.
    reply.call_on_close(subscription.close)
    return reply


class EventReader:
    """Reads one run for one client, from the stored row where Redis has nothing left."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._redis = redis_client.client
        # The stream is read when the request's context is gone.
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._idle: float = current_app.config["PING_SECONDS"]
        self._longest_pause: float = current_app.config["STREAM_IDLE_SECONDS"]

    def frames(self, after: int, look_back: bool) -> Iterator[bytes]:
        """SSE frames behind event `after`, to the final one."""
        for group in self.events(after, look_back):
            yield b"".join(map(_frame, group)) or PING

    def events(self, after: int, look_back: bool) -> Iterator[list[ChannelEvent]]:
        """Groups of events; an empty group is silence. Events made from the row have number 0.

        Ends behind the final event; where a run waits for people, without one when nothing comes for a long time.
        """
        silent = 0.0
        while True:
            try:
                for group in self._live(after, look_back):
                    yield group
                    after = max(after, group[-1].number if group else 0)
                    silent = 0.0 if group else silent + self._idle
                    if silent >= self._longest_pause and self._waits():
                        return
                return
            except LogLost:
                state = self._state()
                if state is None or not task_states.is_running(state):
                    yield from self._stored(state)
                    return
                frames, after = self._so_far(state)
                yield [ChannelEvent(0, frame, False) for frame in frames]
                look_back = True

    def _live(self, after: int, look_back: bool) -> Iterator[list[ChannelEvent]]:
        """Events as they come. Raises LogLost, also where the run has ended and Redis does not know of it (any more)."""
        if look_back and not log_exists(self._redis, self._subscription.task_id) and self._says_no_more(after):
            raise LogLost
        silent_after_end = False
        for group in follow(self._redis, self._subscription, after, self._idle, look_back):
            if not group:
                # The last event may be on its way: only a second silence tells that it is lost.
                if silent_after_end:
                    raise LogLost
                silent_after_end = self._says_no_more(after)
            else:
                after = max(after, group[-1].number)
            yield group

    def _says_no_more(self, after: int) -> bool:
        try:
            return task_states.says_no_more(self._state(), after)
        except OperationalError:
            return False

    def _waits(self) -> bool:
        try:
            state = self._state()
        except OperationalError:
            return False
        return state is not None and task_states.is_paused(state)

    def _state(self) -> TaskState | None:
        with self._app.app_context():
            return task_states.current(self._subscription.task_id)

    def _so_far(self, state: TaskState) -> tuple[list[bytes], int]:
        """What happened so far, for a client that has lost track, and the number of the last event in it."""
        with self._app.app_context():
            text, after = _answer_of(state)
            return frames_so_far(state, text), after

    def _stored(self, state: TaskState | None) -> Iterator[list[ChannelEvent]]:
        """The end as the row has it; nothing where the conversation was deleted meanwhile."""
        if state is None:
            return
        with self._app.app_context():
            words = stored_frames(state)
        yield [ChannelEvent(0, word, word is words[-1]) for word in words]


def _frame(event: ChannelEvent) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.number, event.data) if event.number else b"data: %b\n\n" % event.data


def _made_frame(data: bytes) -> bytes:
    """A frame that stands in no log."""
    return _frame(ChannelEvent(0, data, False))


def _blocking(task: ClaimedTask, reader: EventReader) -> Response:
    parts: list[str] = []
    metadata: dict[str, Any] = {}
    for group in reader.events(0, look_back=False):
        for event in group:
            body: dict[str, Any] = orjson.loads(event.data)
            match body:
                case {"event": "error"}:
                    raise _error(body)
                case {"event": "workflow_finished", "data": {"status": "failed", "error": error}}:
                    raise InvalidParam(f"Run failed: {error}")
                case {"event": "message_replace", "answer": text}:
                    parts = [text]
                case {"event": "workflow_paused"}:
                    return _paused(task, body)
                case {"event": "message_end"}:
                    metadata = body["metadata"]
                case {"answer": text}:
                    parts.append(text)
            if event.final:
                answer = MessageEvents(task).blocking_body(task.mode, "".join(parts), metadata)
                return Response(orjson.dumps(answer), mimetype="application/json")
    raise ServiceUnavailable


def _paused(task: ClaimedTask, frame: dict[str, Any]) -> Response:
    state = task_states.current(task.task_id)
    if state is None:
        raise ServiceUnavailable
    return Response(orjson.dumps(run_snapshots.blocking_pause(state, frame)), mimetype="application/json")


def _error(frame: dict[str, Any]) -> AppError:
    error = AppError(frame["message"])
    error.code, error.status = frame["code"], frame["status"]
    return error


def _event_number(text: str | None) -> int:
    text = (text or "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) <= LARGEST_NUMBER):
        raise InvalidParam("Last-Event-ID must be a whole number of at least 0.")
    return int(text or 0)
