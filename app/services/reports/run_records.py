"""Workflow runs as an operator sees them: what nodes were given, what they gave, how long they took."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from app.extensions import redis_client
from app.models.forms import FormRecordRow, close_forms, list_form_records
from app.models.identifiers import now
from app.models.reports.run_records import (
    NodeRecord,
    RunSummary,
    find_run_record,
    list_node_records,
    list_run_summaries,
)
from app.models.reports.scopes import PagePlace
from app.services.definitions.published_apps import version
from app.services.generation.form_mails import link_of
from app.services.process.stored_values import masked
from app.services.reports.report_filters import (
    ReportFilter,
    ReportNotFound,
    ReportPage,
    bounded,
    page_of,
    place_of,
    scope_of,
)
from app.streams import signals


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


def list_runs(asked: ReportFilter, following: str | None = None, limit: int = 50) -> ReportPage[RunSummary]:
    """Return workflow runs, the newest first: those of workflows, of chatflows, or of both. Raises ReportRefused.

    The filter's mode is workflow or advanced-chat, its status the run's; its words are looked for in inputs, outputs
    and errors.
    """
    scope, place = scope_of(asked), place_of(following)
    with bounded() as connection:
        rows = list_run_summaries(connection, scope, place, limit + 1)
    return page_of(rows, limit, lambda row: PagePlace(row.created_at, uuid.UUID(row.id)))


def show(run_id: str, with_nodes: bool = True) -> RunDetails:
    """Return a run. Raises ReportNotFound. Without `with_nodes` it has no node executions."""
    wanted = _uuid(run_id)
    record = find_run_record(wanted)
    if record is None:
        raise ReportNotFound(f"There is no run {run_id}.")
    secrets = version(record.app_version_id).usable_workflow().secrets
    return RunDetails(
        summary=record.summary,
        inputs=masked(record.inputs, secrets),
        outputs=masked(record.outputs, secrets),
        nodes=[
            NodeRecord(**{name: masked(value, secrets) for name, value in vars(node).items()})
            for node in (list_node_records(wanted) if with_nodes else ())
        ],
        forms=[_form_record(form) for form in list_form_records(wanted)],
    )


def stop(run_id: str) -> bool:
    """Ask a running or paused run to end; return False where it has ended. Raises ReportNotFound for an unknown one."""
    wanted = _uuid(run_id)
    record = find_run_record(wanted)
    if record is None:
        raise ReportNotFound(f"There is no run {run_id}.")
    if record.summary.status not in ("running", "paused"):
        return False
    signals.request_stop(redis_client.client, record.task_id)
    # A worker takes it up, and finds that it is to stop.
    close_forms(wanted, now())
    return True


def _form_record(row: FormRecordRow) -> FormRecord:
    page = link_of(row.token) if row.status == "waiting" and row.token else None
    return FormRecord(
        node_id=row.node_id,
        title=row.node_title,
        status=row.status,
        action=row.action_id,
        expires_at=row.expires_at,
        page=page,
    )


def _uuid(run_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(run_id)
    except ValueError:
        raise ReportNotFound(f"{run_id!r} is no run id: `.venv/bin/flask --app wsgi runs list` shows them.") from None
