"""Workflow runs and their node executions as operators see them."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.models.execution import fetch_all, fetch_one
from app.models.reports.scopes import PagePlace, ReportScope, narrowed, page_values


@dataclass(frozen=True)
class RunSummary:
    """One workflow run. `app` is the app's code, `elapsed` in seconds, `end_user` the session id.

    `message_id` and `conversation_id`: those of a chatflow's run, else None.
    """

    id: str
    app: str
    status: str
    created_at: datetime.datetime
    elapsed: float
    steps: int
    tokens: int
    exceptions: int
    error: str | None
    end_user: str
    message_id: str | None
    conversation_id: str | None


@dataclass(frozen=True)
class RunRecord:
    """A workflow run with what it was given and what it gave, secrets of the app among it."""

    summary: RunSummary
    app_version_id: str
    task_id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None


@dataclass(frozen=True)
class NodeRecord:
    """One node execution. `frame` is empty outside containers, `elapsed` in seconds."""

    node_id: str
    kind: str
    title: str
    frame: str
    status: str
    elapsed: float | None
    inputs: Any
    process_data: Any
    outputs: Any
    usage: Any
    error: str | None


_SUMMARY = """run.id::text, app.code AS app, run.status, run.created_at, run.elapsed, run.total_steps AS steps,
    run.total_tokens AS tokens, run.exceptions_count AS exceptions, run.error, end_user.session_id AS end_user,
    run.message_id::text, task.conversation_id::text"""
_JOINED = """JOIN apps app ON app.id = run.app_id JOIN end_users end_user ON end_user.id = run.end_user_id
LEFT JOIN tasks task ON task.workflow_run_id = run.id"""
_RUNS = f"workflow_runs run {_JOINED}"

# Few conversations wait for their purge; their runs are gone for readers.
_SHOWN = """run.id NOT IN (
    SELECT tasks.workflow_run_id FROM conversations JOIN messages ON messages.conversation_id = conversations.id
    JOIN tasks ON tasks.message_id = messages.id
    WHERE conversations.deleted_at IS NOT NULL AND tasks.workflow_run_id IS NOT NULL
)"""
_LIST = f"""
SELECT {_SUMMARY} FROM (
    SELECT * FROM workflow_runs run WHERE {_SHOWN} AND {{where}} ORDER BY run.created_at DESC, run.id DESC LIMIT :most
) run {_JOINED} ORDER BY run.created_at DESC, run.id DESC
"""
_CONDITIONS = {
    "app_id": "run.app_id = :app_id",
    "end_user_ids": "run.end_user_id = ANY(:end_user_ids)",
    "since": "run.created_at >= :since",
    "until": "run.created_at < :until",
    "status": "run.status = :status",
    "mode": "run.message_id IS NULL = (:mode = 'workflow')",
    "words": "(run.inputs::text ILIKE :words OR run.outputs::text ILIKE :words OR run.error ILIKE :words)",
    "place": "(run.created_at, run.id) < (:place_moment, :place_id)",
}

_FIND = text(
    f"""
SELECT {_SUMMARY}, run.app_version_id::text, run.task_id::text, run.inputs, run.outputs FROM {_RUNS} WHERE run.id = :id
"""
)

_LIST_NODES = text(
    """
SELECT node_id, kind, title, frame, status, elapsed, inputs, process_data, outputs, usage, error
FROM node_executions WHERE run_id = :id ORDER BY position NULLS LAST, started_at
"""
)


def list_run_summaries(
    connection: Connection, scope: ReportScope, place: PagePlace | None, most: int
) -> list[RunSummary]:
    """Return workflow runs of the scope, the newest first, at most `most` behind `place`."""
    statement = narrowed(_LIST, scope, _CONDITIONS, place)
    return fetch_all(statement, page_values(scope, place, most), RunSummary, connection)


def find_run_record(run_id: uuid.UUID) -> RunRecord | None:
    """Return one workflow run."""
    return fetch_one(_FIND, {"id": run_id}, _run_record)


def list_node_records(run_id: uuid.UUID) -> list[NodeRecord]:
    """Return the node executions of a run in the order in which they ended; those that have not ended come last."""
    return fetch_all(_LIST_NODES, {"id": run_id}, NodeRecord)


def _run_record(
    app_version_id: str, task_id: str, inputs: dict[str, Any], outputs: dict[str, Any] | None, **summary: Any
) -> RunRecord:
    return RunRecord(RunSummary(**summary), app_version_id, task_id, inputs, outputs)
