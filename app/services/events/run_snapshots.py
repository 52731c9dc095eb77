"""The events of a workflow run, made from its rows for readers that come late (contract streaming.md §9)."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from app.models.forms import list_forms
from app.models.owners import Owner
from app.models.tasks import TaskState
from app.models.workflow_runs import PAUSED, StoredRun, find_run, list_node_executions
from app.services.definitions.published_apps import version
from app.services.events.message_events import failure_of_run
from app.services.events.workflow_events import WorkflowRunEvents
from app.services.files.file_values import opened
from app.workflow.contracts.human_forms import WAITING
from app.workflow.values.values import plain


def ending_frames(state: TaskState) -> list[bytes]:
    """Return the last events of a run that has ended: the message's end in chatflows, then the run's.

    Where a chatflow failed, the error that clients show stands behind it (contract streaming.md §4.4).
    """
    run = _run(state)
    if run is None:
        return []
    events = WorkflowRunEvents(state, run.app_version_id)
    frames = []
    if events.message is not None and run.status != "failed":
        frames.append(events.message.message_end(state.details or {}, (run.outputs or {}).get("files") or []))
    frames.append(events.finished(_summary(run)))
    if events.message is not None and run.status == "failed":
        frames.append(events.message.error(failure_of_run(run.error)))
    return frames


def end_frame(state: TaskState) -> list[bytes]:
    """Return the end of a run that has ended, for a reader without a snapshot (§9): its `task_id` is the run's id."""
    run = _run(state)
    if run is None:
        return []
    return [WorkflowRunEvents(state._replace(task_id=run.run_id), run.app_version_id).finished(_summary(run))]


def snapshot_frames(state: TaskState, answer: str, with_chunks: bool = False) -> Iterator[bytes]:
    """Yield what happened so far. `answer`: the text that was published.

    `with_chunks`: whether readers are told the text of mode `workflow`, too: those that were reading and lack some.
    """
    run = _run(state)
    if run is None:
        return
    events = WorkflowRunEvents(state, run.app_version_id)
    yield events.started(_inputs(run, state), int(run.created_at.timestamp()))
    if events.message is not None or (with_chunks and answer):
        yield events.text_replace(answer)
    for row in list_node_executions(run.run_id):
        if row["kind"] not in ("iteration", "loop", "iteration-start", "loop-start"):
            yield from events.node_of_record(row)
    if run.status == PAUSED:
        yield from _pause(run, events)


def pause_frames(state: TaskState) -> list[bytes]:
    """Return the last events of a run that waits for people."""
    run = _run(state)
    return [] if run is None else list(_pause(run, WorkflowRunEvents(state, run.app_version_id)))


def _run(state: TaskState) -> StoredRun | None:
    return find_run(state.workflow_run_id or "")


def _pause(run: StoredRun, events: WorkflowRunEvents) -> Iterator[bytes]:
    waiting = [form for form in list_forms(run.run_id) if form.status == WAITING]
    for form in waiting:
        yield events.human_input_required(form)
    totals = {
        "outputs": run.outputs or {},
        "created_at": int(run.created_at.timestamp()),
        "elapsed_time": run.elapsed,
        "total_tokens": run.total_tokens,
        "total_steps": run.total_steps,
    }
    yield events.paused(waiting, totals)


def _inputs(run: StoredRun, state: TaskState) -> dict[str, Any]:
    system: dict[str, Any] = {
        "sys.files": run.files,
        "sys.user_id": run.session_id,
        "sys.app_id": run.app_id,
        "sys.workflow_id": run.app_version_id,
        "sys.workflow_run_id": run.run_id,
    }
    if state.mode == "advanced-chat":
        system |= {"sys.query": state.query, "sys.dialogue_count": run.dialogue_count}
    declared = version(run.app_version_id).usable_workflow().user_input_form
    return {field.variable: plain(run.inputs.get(field.variable)) for field in declared} | system


def _summary(run: StoredRun) -> Mapping[str, Any]:
    owner = Owner(uuid.UUID(run.app_id), uuid.UUID(run.end_user_id))
    return {
        "status": run.status,
        # The links of its files may have ended since.
        "outputs": plain(opened(owner, run.outputs or {})),
        "error": run.error,
        "elapsed_time": run.elapsed,
        "total_tokens": run.total_tokens,
        "total_steps": run.total_steps,
        "exceptions_count": run.exceptions_count,
        "created_by": {"id": run.end_user_id, "user": run.session_id},
        "created_at": int(run.created_at.timestamp()),
        "finished_at": int(run.finished_at.timestamp()) if run.finished_at else None,
    }
