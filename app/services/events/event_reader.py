"""Read a task's events for one client: live, from the event log, or from the stored rows (contract streaming.md §9).

Three sources, each for what the one before has not: live events are cheap, and lost while nobody listens; the event log
has all of them, until some minutes behind the task's end or until Redis loses it; the rows have how the task came to
rest, and of a running one what was stored so far. streams/relay.py joins the first two, this module adds the third.
"""

from collections.abc import Iterator

from flask import Flask, current_app

from app.extensions import DATABASE_AWAY, redis_client
from app.metrics.names import EVENTS_LOST
from app.models.tasks import TaskState, find_task
from app.services.events import run_snapshots, task_states
from app.services.events.stored_frames import frames_so_far, stored_frames
from app.streams.channel import ChannelEvent, LogLost, log_exists, more_follows
from app.streams.hub import Hub
from app.streams.relay import RETRY_SECONDS, follow

# Events that came together. An empty group tells that nothing came for PING_SECONDS.
EventGroup = list[ChannelEvent]
SILENCE: EventGroup = []


class EventReader:
    """The events of one task for one client. Close it when done.

    It subscribes when it is made: no event that is published later is missed. Events made from stored rows have
    number 0, because they stand in no log and a client cannot go on behind them. The last one of a task at rest has its
    own number: behind it a client has everything.
    """

    def __init__(self, hub: Hub, task_id: str) -> None:
        """Raises redis.ConnectionError."""
        self._subscription = hub.subscribe(task_id)
        self._redis = redis_client.client
        # The stream is read when the request's context is gone.
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._idle: float = current_app.config["PING_SECONDS"]
        self._longest_pause: float = current_app.config["STREAM_IDLE_SECONDS"]

    def close(self) -> None:
        self._subscription.close()

    def resume(self, known: TaskState, after: int | None, with_snapshot: bool) -> Iterator[EventGroup]:
        """Return the events for a client that comes back. `after`: the last event that it has, None where it has none.

        `with_snapshot`: whether a workflow run tells what happened before (§9).
        """
        # Read again: the task may have ended between the caller's look and the subscription.
        state = find_task(known.task_id) or known
        if state.workflow_run_id is not None and after is None:
            return self._join_run(state, with_snapshot)
        after = after or 0
        at_rest = not (task_states.is_running(state) or task_states.is_paused(state))
        if at_rest and after >= state.last_event and not more_follows(self._redis, state.task_id, after):
            return iter(())
        return self.events(after, look_back=True)

    def events(self, after: int, look_back: bool) -> Iterator[EventGroup]:
        """Yield the events behind number `after`. `look_back`: some may have been published before the subscription.

        Ends behind the final event; where a run waits for people, without one when nothing comes for a long time.
        """
        silent = 0.0
        while True:
            try:
                for group in self._live(after, look_back):
                    yield group
                    after = max(after, group[-1].number if group else 0)
                    silent = 0.0 if group else silent + self._idle
                    if silent >= self._longest_pause and self._is_paused():
                        return
                return
            except LogLost:
                state = self._state()
                if state is None or not task_states.is_running(state):
                    yield from self._stored(state)
                    return
                EVENTS_LOST.add("reader")
                look_back = True
                frames, reached = self._so_far(state)
                if reached < after:
                    # While Redis fails over, one connection may still lead to the old primary: ask again soon.
                    self._subscription.take(RETRY_SECONDS)
                    continue
                # The task goes on: tell the client all of it again, then follow what comes.
                after = reached
                yield [ChannelEvent(0, frame, False) for frame in frames]

    def _join_run(self, state: TaskState, with_snapshot: bool) -> Iterator[EventGroup]:
        """Return a workflow run's events for a client that has none: its end alone, or what follows from now on."""
        if not (task_states.is_running(state) or task_states.is_paused(state)):
            return iter([[ChannelEvent(0, frame, False)] for frame in run_snapshots.end_frame(state)])
        groups = [SILENCE]
        if not with_snapshot:
            after = task_states.last_event_number(state)
        else:
            # The text first: what is published while the snapshot is made follows behind `after`, not in it.
            answer, after = task_states.answer_so_far(state.task_id, state.answer, state.last_event)
            groups += [[ChannelEvent(0, frame, False)] for frame in run_snapshots.snapshot_frames(state, answer)]
            if task_states.is_paused(state):
                return iter(groups)
        return self._behind(groups, after)

    def _behind(self, groups: list[EventGroup], after: int) -> Iterator[EventGroup]:
        yield from groups
        yield from self.events(after, look_back=True)

    def _live(self, after: int, look_back: bool) -> Iterator[EventGroup]:
        """Yield events as they come. Raises LogLost, also where the task has ended and Redis has no log of it."""
        # Without a log, a task at rest would be silent for ever. A running one may not have published yet.
        if look_back and not log_exists(self._redis, self._subscription.task_id) and self._rest_is_stored(after):
            raise LogLost
        silent_after_end = False
        for group in follow(self._redis, self._subscription, after, self._idle, look_back):
            if not group:
                # The last event may be on its way: only a second silence tells that it is lost.
                if silent_after_end:
                    raise LogLost
                silent_after_end = self._rest_is_stored(after)
            else:
                after = max(after, group[-1].number)
            yield group

    def _rest_is_stored(self, after: int) -> bool:
        """Whether the rows have all that follows; not while PostgreSQL is away, so that the client keeps waiting."""
        try:
            return task_states.rest_is_stored(self._state(), after)
        except DATABASE_AWAY:
            return False

    def _is_paused(self) -> bool:
        try:
            state = self._state()
        except DATABASE_AWAY:
            return False
        return state is not None and task_states.is_paused(state)

    def _state(self) -> TaskState | None:
        with self._app.app_context():
            return find_task(self._subscription.task_id)

    def _so_far(self, state: TaskState) -> tuple[list[bytes], int]:
        """Return what happened so far, for a client whose log was lost, and the number of the last event in it."""
        with self._app.app_context():
            answer, after = task_states.answer_so_far(state.task_id, state.answer, state.last_event)
            return frames_so_far(state, answer), after

    def _stored(self, state: TaskState | None) -> Iterator[EventGroup]:
        """Yield the end as the rows have it; nothing where the conversation was deleted meanwhile."""
        if state is None:
            return
        with self._app.app_context():
            frames = stored_frames(state)
        last = len(frames) - 1
        yield [
            ChannelEvent(state.last_event if index == last else 0, frame, index == last)
            for index, frame in enumerate(frames)
        ]
