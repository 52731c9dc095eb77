"""Forms that runs put to people (contract human-input.md).

Identifiers go in and come out as text. A form is made by `pause_run` (`app/models/checkpoints.py`).
"""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import fetch_all, fetch_one, json_text
from app.models.identifiers import now

WAITING = "waiting"


class HumanInputForm(Base):
    """One form. Its id is that of the node execution that made it, so that a run has one for each.

    `definition`: content, inputs, actions, defaults, display_in_ui as they were at the pause; `mails`: subject and body
    of each. `submitted`: the values by input name. `status`: waiting, submitted, timeout (the node's), expired (the run
    ended without it).
    """

    __tablename__ = "human_input_forms"
    __table_args__ = (
        Index("human_input_forms_by_run", "run_id"),
        Index("human_input_forms_by_expiration", "expires_at", postgresql_where=text("status = 'waiting'")),
        Index("human_input_forms_by_age", "created_at", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workflow_runs.id", ondelete="CASCADE"))
    node_id: Mapped[str] = mapped_column(Text)
    node_title: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mails: Mapped[list[Any] | None] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(16), server_default=WAITING, default=WAITING)
    action_id: Mapped[str | None] = mapped_column(String(32))
    submitted: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    expires_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    decided_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


@dataclass(frozen=True)
class FormRow:
    """A form. `token`: that of its page, or the one that it was found by; None where there is none."""

    form_id: str
    run_id: str
    node_id: str
    node_title: str
    definition: dict[str, Any]
    status: str
    action_id: str | None
    submitted: dict[str, Any] | None
    expires_at: datetime.datetime
    created_at: datetime.datetime
    token: str | None


@dataclass(frozen=True)
class FormOfMessage(FormRow):
    """A form of the run of a message."""

    message_id: str


@dataclass(frozen=True)
class FoundForm(FormRow):
    """A form that somebody may see, and whose run it belongs to."""

    app_id: str
    end_user_id: str


class DecidedForm(NamedTuple):
    """A form that was decided, and the task that goes on; None where it has ended."""

    form_id: str
    task_id: str | None


class FormRecordRow(NamedTuple):
    """A form as operators see it. `token`: of the recipient of kind backstage."""

    node_id: str
    node_title: str
    status: str
    action_id: str | None
    expires_at: datetime.datetime
    token: str | None


_COLUMNS = """form.id::text AS form_id, form.run_id::text, form.node_id, form.node_title, form.definition,
    {status}, form.action_id, form.submitted, form.expires_at, form.created_at"""
_FORM = _COLUMNS.format(status="form.status")
_PAGE_TOKEN = """LEFT JOIN LATERAL (
    SELECT token FROM human_input_recipients WHERE form_id = form.id AND kind = 'standalone_web_app' LIMIT 1
) AS page ON true"""

# Reading and closing are one statement: what the worker finds to be too late stays so, whoever submits behind it. The
# SELECT sees the rows as they were before the UPDATE, so the new status comes from `late`.
_LOAD = text(
    f"""
WITH late AS (
    UPDATE human_input_forms
    SET status = CASE WHEN created_at <= :oldest THEN 'expired' ELSE 'timeout' END, decided_at = :now
    WHERE run_id = :run_id AND status = 'waiting' AND (expires_at <= :now OR created_at <= :oldest)
    RETURNING id, status
)
SELECT {_COLUMNS.format(status="coalesce(late.status, form.status) AS status")}, NULL AS token
FROM human_input_forms form LEFT JOIN late ON late.id = form.id WHERE form.run_id = :run_id
"""
)

_LIST_OF_RUN = text(
    f"""
SELECT {_FORM}, page.token FROM human_input_forms form {_PAGE_TOKEN} WHERE form.run_id = :run_id ORDER BY form.id
"""
)

_LIST_OF_MESSAGES = text(
    f"""
SELECT {_FORM}, page.token, run.message_id::text AS message_id
FROM workflow_runs run JOIN human_input_forms form ON form.run_id = run.id {_PAGE_TOKEN}
WHERE run.message_id = ANY(CAST(:message_ids AS uuid[])) ORDER BY form.created_at, form.id
"""
)

# A form that somebody may see: its run is there, and so is its conversation if it has one.
_FIND = f"""
SELECT {_FORM}, {{token}} AS token, run.app_id::text, run.end_user_id::text
FROM {{source}} JOIN human_input_forms form ON form.id = {{source}}.form_id
JOIN workflow_runs run ON run.id = form.run_id JOIN tasks ON tasks.workflow_run_id = run.id
LEFT JOIN conversations conversation ON conversation.id = tasks.conversation_id
WHERE {{condition}} AND conversation.deleted_at IS NULL
"""
_FIND_BY_TOKEN = text(
    _FIND.format(source="human_input_recipients", token="human_input_recipients.token", condition="token = :token")
)
_FIND_BY_UPLOAD_TOKEN = text(
    _FIND.format(source="human_input_upload_tokens", token="NULL", condition="token_hash = :token_hash")
)

# Forms are decided: their runs go on; one that runs just now looks again before it rests. The count in the task's row
# is what a worker compares (`pause_run`), so that no decision falls between its look at the forms and its rest. A task
# is given back whether it rested or ran: queueing it again does no harm where a worker has it.
_DECIDE = """
WITH form AS (
    UPDATE human_input_forms SET {change}, decided_at = :now WHERE {condition} RETURNING id, run_id
), task AS (
    UPDATE tasks SET decisions = decisions + decided.forms, status = 'running',
        resumed_at = CASE WHEN tasks.status = 'paused' THEN clock_timestamp() ELSE tasks.resumed_at END
    FROM (SELECT run_id, count(*)::integer AS forms FROM form GROUP BY run_id) AS decided
    WHERE tasks.workflow_run_id = decided.run_id AND tasks.status IN ('paused', 'running')
    RETURNING tasks.id, tasks.workflow_run_id, tasks.message_id
), run AS (
    UPDATE workflow_runs SET status = 'running' FROM task WHERE workflow_runs.id = task.workflow_run_id
), message AS (
    UPDATE messages SET status = 'normal' FROM task WHERE messages.id = task.message_id
)
SELECT form.id::text AS form_id, task.id::text AS task_id
FROM form LEFT JOIN task ON task.workflow_run_id = form.run_id
"""

# Of many who submit at once one finds the form waiting.
_SUBMIT = json_text(
    _DECIDE.format(
        change="status = 'submitted', action_id = :action_id, submitted = :submitted",
        condition="id = :form_id AND status = 'waiting' AND expires_at > :now AND created_at > :oldest",
    ),
    "submitted",
)

# Where a form is past both its limits, the run's counts.
_EXPIRE = text(
    _DECIDE.format(
        change="status = CASE WHEN created_at <= :oldest THEN 'expired' ELSE 'timeout' END",
        condition="""id IN (
        SELECT id FROM human_input_forms WHERE status = 'waiting' AND (expires_at <= :now OR created_at <= :oldest)
        ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED
    )""",
    )
)

_CLOSE = text(_DECIDE.format(change="status = 'expired'", condition="run_id = :run_id AND status = 'waiting'"))

_LIST_RECORDS = text(
    """
SELECT form.node_id, form.node_title, form.status, form.action_id, form.expires_at, recipient.token
FROM human_input_forms form
LEFT JOIN human_input_recipients recipient ON recipient.form_id = form.id AND recipient.kind = 'backstage'
WHERE form.run_id = :run_id ORDER BY form.created_at, form.id
"""
)


def load_forms(run_id: str, moment: datetime.datetime, oldest: datetime.datetime) -> list[FormRow]:
    """Close the forms of a run that ran out by `moment`, then return all of them, for the worker that goes on with it.

    A form that was made at `oldest` or before ends its run (expired); any other takes its node's branch (timeout).
    """
    return fetch_all(_LOAD, {"run_id": run_id, "now": moment, "oldest": oldest}, FormRow)


def list_forms(run_id: str) -> list[FormRow]:
    """Return the forms of a run, in the order in which they were made, with the tokens of their pages."""
    return fetch_all(_LIST_OF_RUN, {"run_id": run_id}, FormRow)


def list_forms_of_messages(message_ids: list[str]) -> list[FormOfMessage]:
    """Return the forms of the runs of these messages, in the order in which they were made."""
    return fetch_all(_LIST_OF_MESSAGES, {"message_ids": message_ids}, FormOfMessage)


def find_form(token: str) -> FoundForm | None:
    """Return the form that the recipient of this token may answer, open or closed."""
    return fetch_one(_FIND_BY_TOKEN, {"token": token}, FoundForm)


def find_form_of_upload_token(token_hash: str) -> FoundForm | None:
    """Return the form for which the token of this hash may upload files, open or closed."""
    return fetch_one(_FIND_BY_UPLOAD_TOKEN, {"token_hash": token_hash}, FoundForm)


def submit_form(
    form_id: str, action_id: str, submitted: dict[str, Any], moment: datetime.datetime, oldest: datetime.datetime
) -> DecidedForm | None:
    """Store the answer to a form that is open and let its run go on; None where it is not open (any more)."""
    values = {"form_id": form_id, "action_id": action_id, "submitted": submitted, "now": moment, "oldest": oldest}
    return fetch_one(_SUBMIT, values, DecidedForm)


def expire_forms(moment: datetime.datetime, oldest: datetime.datetime, most: int) -> list[DecidedForm]:
    """Close forms that ran out by `moment`, the earliest first, as `load_forms` does, and let their runs go on."""
    return fetch_all(_EXPIRE, {"now": moment, "oldest": oldest, "most": most}, DecidedForm)


def close_forms(run_id: uuid.UUID, moment: datetime.datetime) -> list[DecidedForm]:
    """Close the open forms of a run that an operator stops, and let it go on to its end."""
    return fetch_all(_CLOSE, {"run_id": run_id, "now": moment}, DecidedForm)


def list_form_records(run_id: uuid.UUID) -> list[FormRecordRow]:
    """Return the forms of a run as operators see them."""
    return fetch_all(_LIST_RECORDS, {"run_id": run_id}, FormRecordRow)
