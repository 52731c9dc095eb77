"""Workflow runs and their node executions as operators see them."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.models.execution import fetch_all, fetch_one


@dataclass(frozen=True)
class RunSummary:
    """One workflow run. `app` is the app's code, `elapsed` in seconds, `end_user` the session id."""

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
    run.total_tokens AS tokens, run.exceptions_count AS exceptions, run.error, end_user.session_id AS end_user"""
_RUNS = """workflow_runs run JOIN apps app ON app.id = run.app_id
JOIN end_users end_user ON end_user.id = run.end_user_id"""

_LIST = text(
    f"""
SELECT {_SUMMARY} FROM {_RUNS}
WHERE (CAST(:code AS text) IS NULL OR app.code = :code) AND (CAST(:status AS text) IS NULL OR run.status = :status)
ORDER BY run.created_at DESC, run.id DESC LIMIT :limit
"""
)

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


def list_run_summaries(app_code: str | None, status: str | None, most: int) -> list[RunSummary]:
    """Return the newest workflow runs, newest first: of one app or of all, of one status or of all."""
    return fetch_all(_LIST, {"code": app_code, "status": status, "limit": most}, RunSummary)


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
