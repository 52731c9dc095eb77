"""The statements about forms, one round trip each (to be run on the autocommit engine). Identifiers go in and come out as text."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

_COLUMNS = """form.id::text AS form_id, form.run_id::text, form.node_id, form.node_title, form.definition, form.status, form.action_id,
    form.submitted, form.expires_at, form.created_at"""
_PAGE_TOKEN = """LEFT JOIN LATERAL (
    SELECT token FROM human_input_recipients WHERE form_id = form.id AND kind = 'standalone_web_app' LIMIT 1
) AS page ON true"""

# For the worker that goes on with a run: what is too late now is so from here on.
LOAD_FORMS = text(
    f"""
WITH late AS (
    UPDATE human_input_forms SET status = CASE WHEN created_at <= :oldest THEN 'expired' ELSE 'timeout' END, decided_at = :now
    WHERE run_id = :run_id AND status = 'waiting' AND (expires_at <= :now OR created_at <= :oldest) RETURNING id, status
)
SELECT {_COLUMNS.replace("form.status", "coalesce(late.status, form.status) AS status")}, NULL AS token
FROM human_input_forms form LEFT JOIN late ON late.id = form.id WHERE form.run_id = :run_id
"""
)

FORMS_OF_RUN = text(
    f"SELECT {_COLUMNS}, page.token FROM human_input_forms form {_PAGE_TOKEN} WHERE form.run_id = :run_id ORDER BY form.id"
)

FORMS_OF_MESSAGES = text(
    f"""
SELECT {_COLUMNS}, page.token, run.message_id::text AS message_id
FROM workflow_runs run JOIN human_input_forms form ON form.run_id = run.id {_PAGE_TOKEN}
WHERE run.message_id = ANY(CAST(:message_ids AS uuid[])) ORDER BY form.created_at, form.id
"""
)

# A form that somebody may see: its run is there, and so is its conversation if it has one.
_FIND = f"""
SELECT {_COLUMNS}, {{token}} AS token, run.app_id::text, run.end_user_id::text
FROM {{source}} JOIN human_input_forms form ON form.id = {{source}}.form_id JOIN workflow_runs run ON run.id = form.run_id
JOIN tasks ON tasks.workflow_run_id = run.id LEFT JOIN conversations conversation ON conversation.id = tasks.conversation_id
WHERE {{condition}} AND conversation.deleted_at IS NULL
"""
FIND_BY_TOKEN = text(
    _FIND.format(source="human_input_recipients", token="human_input_recipients.token", condition="token = :token")
)
FIND_BY_UPLOAD_TOKEN = text(
    _FIND.format(source="human_input_upload_tokens", token="NULL", condition="token_hash = :token_hash")
)

# Forms are decided: their runs go on, or if one runs now, it looks again before it rests. The count in the task's row is what
# a worker compares, so that no decision falls between its look at the forms and its rest.
_DECIDE = """
WITH form AS (
    UPDATE human_input_forms SET {change}, decided_at = :now WHERE {condition} RETURNING id, run_id
), task AS (
    UPDATE tasks SET decisions = decisions + decided.forms, status = 'running',
        resumed_at = CASE WHEN tasks.status = 'paused' THEN :now ELSE tasks.resumed_at END
    FROM (SELECT run_id, count(*)::integer AS forms FROM form GROUP BY run_id) AS decided
    WHERE tasks.workflow_run_id = decided.run_id AND tasks.status IN ('paused', 'running')
    RETURNING tasks.id, tasks.workflow_run_id, tasks.message_id
), run AS (
    UPDATE workflow_runs SET status = 'running' FROM task WHERE workflow_runs.id = task.workflow_run_id
), message AS (
    UPDATE messages SET status = 'normal' FROM task WHERE messages.id = task.message_id
)
SELECT form.id::text AS form_id, task.id::text AS task_id FROM form LEFT JOIN task ON task.workflow_run_id = form.run_id
"""

# Gives a row to the one who submits first.
SUBMIT = text(
    _DECIDE.format(
        change="status = 'submitted', action_id = :action_id, submitted = :submitted",
        condition="id = :form_id AND status = 'waiting' AND expires_at > :now AND created_at > :oldest",
    )
).bindparams(bindparam("submitted", type_=JSONB))

# Where a form is past both its limits, the run's counts.
EXPIRE = text(
    _DECIDE.format(
        change="status = CASE WHEN created_at <= :oldest THEN 'expired' ELSE 'timeout' END",
        condition="id IN (SELECT id FROM human_input_forms WHERE status = 'waiting' AND (expires_at <= :now OR created_at <= :oldest)"
        " ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)",
    )
)

# An operator stops a run that waits.
CLOSE_FORMS = text(_DECIDE.format(change="status = 'expired'", condition="run_id = :run_id AND status = 'waiting'"))

FORM_RECORDS = text(
    """
SELECT form.node_id, form.node_title, form.status, form.action_id, form.expires_at, recipient.token
FROM human_input_forms form LEFT JOIN human_input_recipients recipient ON recipient.form_id = form.id AND recipient.kind = 'backstage'
WHERE form.run_id = :run_id ORDER BY form.created_at, form.id
"""
)

ADD_UPLOAD_TOKEN = text(
    "INSERT INTO human_input_upload_tokens (token_hash, form_id, created_at) VALUES (:token_hash, :form_id, :now)"
)
LINK_FILE = text("INSERT INTO human_input_files (form_id, upload_file_id) VALUES (:form_id, :file_id)")

# Gives a mail to one sender at a time.
TAKE_MAIL = text(
    """
WITH recipient AS (
    UPDATE human_input_recipients SET tried_at = :now
    WHERE token = :token AND mailed_at IS NULL AND (tried_at IS NULL OR tried_at < :retry_before) RETURNING form_id, email, mail
)
SELECT recipient.email, form.mails -> recipient.mail AS mail FROM recipient JOIN human_input_forms form ON form.id = recipient.form_id
WHERE form.status = 'waiting' AND form.expires_at > :now
"""
)
MAIL_SENT = text("UPDATE human_input_recipients SET mailed_at = :now WHERE token = :token")
UNMAILED = text(
    """
SELECT token FROM human_input_recipients recipient JOIN human_input_forms form ON form.id = recipient.form_id
WHERE recipient.email IS NOT NULL AND recipient.mailed_at IS NULL AND recipient.created_at < :before
    AND (recipient.tried_at IS NULL OR recipient.tried_at < :before) AND form.status = 'waiting' LIMIT :most
"""
)


class FormRow(NamedTuple):
    """A form as most of these statements give it. `token`: that of the page, or the one that it was found by."""

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
