"""From a run's channel to the caller: SSE frames, or one body in blocking mode (contract streaming.md §1, §7, §9.4)."""

import threading
from collections.abc import Callable, Iterator

import orjson
import redis
import structlog
from flask import Flask, Response, current_app
from kombu.exceptions import OperationalError as BrokerError

from app import tasks
from app.errors import AppError, InvalidParam, ServiceUnavailable
from app.extensions import redis_client
from app.models.generations import ClaimedTask, TaskState
from app.services import end_users, published_apps, task_states
from app.services.wire_events import MessageEvents
from app.streams import changes
from app.streams.channel import Event, LogLost
from app.streams.hub import Hub, Subscription
from app.streams.relay import follow

log = structlog.get_logger(__name__)

PING = b"event: ping\n\n"
HEADERS = {"Cache-Control": "no-cache", "Connection": "keep-alive", "X-Accel-Buffering": "no"}
_starting = threading.Lock()


def hub() -> Hub:
    """This web process's ear, started at first use (behind gunicorn's fork)."""
    extensions = current_app.extensions
    with _starting:
        if "hub" not in extensions:
            ear = Hub(redis_client.client)
            ear.listen(changes.CHANNEL, _forget)
            ear.on_reconnect(_forget_all)
            extensions["hub"] = ear.start()
    started: Hub = extensions["hub"]
    return started


def run_and_reply(task: ClaimedTask, streaming: bool) -> Response:
    """Subscribe, then enqueue a committed task, then relay. Raises ServiceUnavailable, in blocking mode the run's error."""
    try:
        subscription = hub().subscribe(task.task_id)
        tasks.enqueue(task.task_id)
    except (redis.ConnectionError, redis.TimeoutError, BrokerError) as away:
        log.error("generation.not_queued", task_id=task.task_id, error=str(away))
        task_states.abandon(task.task_id, ServiceUnavailable())
        raise ServiceUnavailable from away
    reader = Reader(subscription, current_app._get_current_object())  # type: ignore[attr-defined]
    if streaming:
        return sse(reader.frames(0, look_back=False), subscription)
    try:
        return _blocking(task, reader)
    finally:
        subscription.close()


def resume(state: TaskState, last_event_id: str | None) -> Response:
    """Go on with a run where a client left off. `last_event_id`: the header, None or empty for the beginning."""
    after = _event_number(last_event_id)
    subscription = hub().subscribe(state.task_id)
    reader = Reader(subscription, current_app._get_current_object())  # type: ignore[attr-defined]
    now = task_states.current(state.task_id) or state
    if not task_states.is_running(now) and after >= now.last_event:
        subscription.close()
        return sse(iter(()), None)
    return sse(reader.frames(after, look_back=True), subscription)


def sse(frames: Iterator[bytes], subscription: Subscription | None) -> Response:
    reply = Response(frames, mimetype="text/event-stream", headers=HEADERS)
    if subscription is not None:
        # A `finally` never runs in a stream that nobody began to read.
        reply.call_on_close(subscription.close)
    return reply


class Reader:
    """Reads one run for one client, with the stored row where Redis has nothing left."""

    def __init__(self, subscription: Subscription, app: Flask) -> None:
        self._subscription, self._app = subscription, app
        self._idle = app.config["PING_SECONDS"]

    def frames(self, after: int, look_back: bool) -> Iterator[bytes]:
        """SSE frames behind event `after`, to the final one."""
        for group in self.events(after, look_back):
            if not group:
                yield PING
            else:
                yield b"".join(_frame(event) for event in group)

    def events(self, after: int, look_back: bool) -> Iterator[list[Event]]:
        """Groups of events; an empty group is silence. Events from the row have number 0."""
        ended_before = False
        while True:
            try:
                for group in self._follow(after, look_back):
                    yield group
                    after = group[-1].number if group else after
                    if group and group[-1].final:
                        return
                    if not group:
                        ended = self._ended()
                        if ended is not None and ended_before:
                            yield self._from_row(ended)
                            return
                        ended_before = ended is not None
            except LogLost:
                ended = self._ended()
                if ended is not None:
                    yield self._from_row(ended)
                    return
                text, after = self._so_far()
                yield [self._replacement(text)]
                look_back = True

    def _follow(self, after: int, look_back: bool) -> Iterator[list[Event]]:
        if look_back and self._nothing_logged(after):
            raise LogLost(self._subscription.task_id)
        return follow(redis_client.client, self._subscription, after, self._idle, look_back)

    def _nothing_logged(self, after: int) -> bool:
        """Whether a run that has ended left nothing behind `after` in the log."""
        ended = self._ended()
        return ended is not None and not redis_client.client.exists(f"run:{self._subscription.task_id}:log")

    def _ended(self) -> TaskState | None:
        with self._app.app_context():
            state = task_states.current(self._subscription.task_id)
        return state if state is not None and not task_states.is_running(state) else None

    def _so_far(self) -> tuple[str, int]:
        with self._app.app_context():
            return task_states.answer_so_far(self._subscription.task_id)

    def _replacement(self, answer: str) -> Event:
        with self._app.app_context():
            state = task_states.current(self._subscription.task_id)
        assert state is not None
        return Event(0, MessageEvents(state).message_replace(answer), False)

    def _from_row(self, state: TaskState) -> list[Event]:
        events = MessageEvents(state)
        if state.failure is not None:
            return [Event(0, events.error(state.failure), True)]
        return [
            Event(0, events.message_replace(state.answer), False),
            Event(0, events.message_end(state.details or {}), True),
        ]


def _frame(event: Event) -> bytes:
    return b"id: %d\ndata: %b\n\n" % (event.number, event.data) if event.number else b"data: %b\n\n" % event.data


def _blocking(task: ClaimedTask, reader: Reader) -> Response:
    parts: list[str] = []
    for group in reader.events(0, look_back=False):
        for event in group:
            body = orjson.loads(event.data)
            if body["event"] == "error":
                raise _error(body)
            if body["event"] == "message_replace":
                parts = [body["answer"]]
            elif body["event"] == "message_end":
                answer = MessageEvents(task).blocking_body(task.mode, "".join(parts), body["metadata"])
                return Response(orjson.dumps(answer), mimetype="application/json")
            elif "answer" in body:
                parts.append(body["answer"])
    raise ServiceUnavailable


def _error(frame: dict[str, object]) -> AppError:
    error = AppError(str(frame["message"]))
    error.code, error.status = str(frame["code"]), int(str(frame["status"]))
    return error


def _event_number(text: str | None) -> int:
    text = (text or "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidParam("Last-Event-ID must be a whole number of at least 0.")
    return int(text or 0)


_FORGET: dict[str, Callable[[str], None]] = {"app": published_apps.forget, "end_user": end_users.forget}


def _forget(message: bytes) -> None:
    kind, _, identifier = message.decode().partition(":")
    if kind in _FORGET:
        _FORGET[kind](identifier)


def _forget_all() -> None:
    published_apps.forget_all()
    end_users.forget_all()
