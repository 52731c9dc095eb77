"""The end of a generation as its rows have it, for readers whose log is gone and for workers that died before they said it."""

from app.models.generations import TaskState
from app.models.tasks import PAUSED
from app.services import run_snapshots
from app.services.wire_events import MessageEvents


def last_words(state: TaskState) -> list[bytes]:
    """The whole answer and the final event of a task that has ended, or waits for people."""
    if state.workflow_run_id is None:
        events = MessageEvents(state)
        if state.failure is not None:
            return [events.error(state.failure)]
        return [events.message_replace(state.answer), events.message_end(state.details or {})]
    if state.status == PAUSED:
        return list(run_snapshots.snapshot(state, state.answer))
    answer = [MessageEvents(state).message_replace(state.answer)] if state.mode == "advanced-chat" else []
    return answer + run_snapshots.ending(state)
