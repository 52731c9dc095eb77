"""Workflow runs as an operator sees them: what nodes were given, what they gave, how long they took."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.extensions import autocommit_engine, redis_client
from app.models.form_statements import CLOSE_FORMS, FORM_RECORDS
from app.models.identifiers import now
from app.services.definitions.app_configs import WorkflowConfig
from app.services.definitions.published_apps import version
from app.services.generation.form_mails import link_of
from app.services.operator.apps import AppRefused
from app.services.process.stored_values import masked
from app.streams import stop_signals

_COLUMNS = """
run.id::text, app.code, run.status, run.created_at, run.elapsed, run.total_steps, run.total_tokens, run.exceptions_count, run.error,
end_user.session_id
"""
_FROM = "FROM workflow_runs run JOIN apps app ON app.id = run.app_id JOIN end_users end_user ON end_user.id = run.end_user_id"
_LIST = text(
    f"SELECT {_COLUMNS} {_FROM} WHERE (CAST(:code AS text) IS NULL OR app.code = :code)"
    " AND (CAST(:status AS text) IS NULL OR run.status = :status) ORDER BY run.created_at DESC, run.id DESC LIMIT :limit"
)
_ONE = text(
    f"SELECT {_COLUMNS}, run.app_version_id::text, run.task_id::text, run.inputs, run.outputs {_FROM} WHERE run.id = :id"
)
_NODES = text(
    "SELECT node_id, kind, title, frame, status, elapsed, inputs, process_data, outputs, usage, error"
    " FROM node_executions WHERE run_id = :id ORDER BY position NULLS LAST, started_at"
)


@dataclass(frozen=True)
class RunSummary:
    """One run. `elapsed` in seconds, `end_user` is the session id."""

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
class NodeRecord:
    """One run of a node. `frame` is empty outside containers. Secrets of the app are covered."""

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


@dataclass(frozen=True)
class FormRecord:
    """A form that the run put to people. `page`: where it can be answered, as long as it can."""

    node_id: str
    title: str
    status: str
    action: str | None
    expires_at: datetime.datetime
    page: str | None


@dataclass(frozen=True)
class RunDetails:
    summary: RunSummary
    inputs: dict[str, Any]
    outputs: Any
    nodes: list[NodeRecord]
    forms: list[FormRecord]


def list_runs(code: str | None, status: str | None, limit: int) -> list[RunSummary]:
    """The newest runs, of one app or of all."""
    with autocommit_engine().connect() as connection:
        return [RunSummary(*row) for row in connection.execute(_LIST, {"code": code, "status": status, "limit": limit})]


def show(run_id: str) -> RunDetails:
    """Raises AppRefused where there is no such run."""
    with autocommit_engine().connect() as connection:
        row = connection.execute(_ONE, {"id": _uuid(run_id)}).one_or_none()
        nodes = connection.execute(_NODES, {"id": _uuid(run_id)}).all()
        forms = connection.execute(FORM_RECORDS, {"run_id": _uuid(run_id)}).all()
    if row is None:
        raise AppRefused(f"There is no run {run_id}.")
    secrets = WorkflowConfig.from_definition(version(row.app_version_id)).secrets
    records = [NodeRecord(*(masked(value, secrets) for value in node)) for node in nodes]
    return RunDetails(
        RunSummary(*row[:10]),
        masked(row.inputs, secrets),
        masked(row.outputs, secrets),
        records,
        list(map(_form_record, forms)),
    )


def stop(run_id: str) -> bool:
    """Ask a run that runs, or waits for people, to end; False where it has ended. Raises AppRefused where there is no such run."""
    with autocommit_engine().connect() as connection:
        row = connection.execute(_ONE, {"id": _uuid(run_id)}).one_or_none()
    if row is None:
        raise AppRefused(f"There is no run {run_id}.")
    if row.status not in ("running", "paused"):
        return False
    stop_signals.request_stop(redis_client.client, row.task_id)
    with autocommit_engine().connect() as connection:
        # A worker takes it up, and finds that it is to stop.
        connection.execute(CLOSE_FORMS, {"run_id": _uuid(run_id), "now": now()})
    return True


def _form_record(row: Any) -> FormRecord:
    page = link_of(row.token) if row.status == "waiting" and row.token else None
    return FormRecord(row.node_id, row.node_title, row.status, row.action_id, row.expires_at, page)


def _uuid(run_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(run_id)
    except ValueError:
        raise AppRefused(f"{run_id!r} is no run id: `flask --app wsgi runs list` shows them.") from None
