"""Collect the events of a task into the one body of blocking mode (contract streaming.md §7)."""

from collections.abc import Iterator
from typing import Any

import orjson

from app.errors import AppError, InvalidParam, ServiceUnavailable
from app.models.tasks import ClaimedTask, find_task
from app.services.events.event_reader import EventGroup
from app.services.events.message_events import MessageEvents, failure_of_run, public_details

PAUSE_FIELDS = ("paused_nodes", "reasons", "status", "elapsed_time", "total_tokens", "total_steps")


def blocking_answer(task: ClaimedTask, groups: Iterator[EventGroup]) -> dict[str, Any]:
    """Return the answer's body, or that of a run that waits for people.

    Raises the error that ended the task (InvalidParam for a failed run), ServiceUnavailable where the events end
    without a final one.
    """
    parts: list[str] = []
    metadata: dict[str, Any] = {}
    for group in groups:
        for event in group:
            body: dict[str, Any] = orjson.loads(event.data)
            match body:
                case {"event": "error"}:
                    raise _error(body)
                case {"event": "workflow_finished", "data": {"status": "failed", "error": error}}:
                    raise InvalidParam(failure_of_run(error)["message"])
                case {"event": "message_replace", "answer": text}:
                    parts = [text]
                case {"event": "workflow_paused"}:
                    return _pause_body(task, body)
                case {"event": "message_end"}:
                    metadata = body["metadata"]
                case {"answer": text}:
                    parts.append(text)
            if event.final:
                return MessageEvents(task).blocking_body(task.mode, "".join(parts), metadata)
    raise ServiceUnavailable


def _pause_body(task: ClaimedTask, event: dict[str, Any]) -> dict[str, Any]:
    """Return the body for a run that waits for people (§7.3). `event`: its `workflow_paused`."""
    state = find_task(task.task_id)
    if state is None:
        raise ServiceUnavailable
    common = {
        "mode": state.mode,
        "conversation_id": state.conversation_id,
        "message_id": state.message_id,
        "answer": state.answer,
        "metadata": public_details(state.details or {}),
        "created_at": int(state.message_created_at.timestamp()),
        "workflow_run_id": state.workflow_run_id,
    }
    shown = {name: event["data"][name] for name in PAUSE_FIELDS}
    body = {"event": "workflow_paused", "task_id": state.task_id, "id": state.message_id, **common}
    return body | {"data": {"id": state.message_id, **common, **shown}}


def _error(body: dict[str, Any]) -> AppError:
    error = AppError(body["message"])
    error.code, error.status = body["code"], body["status"]
    return error
