"""The statements that every workflow run makes, one round trip each (to be run on the autocommit engine).

Rows of nodes travel as one JSON list, so that a statement's text never changes.
"""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

# What starts a run of a workflow, which has no message.
BEGIN_RUN = text(
    """
WITH run AS (
    INSERT INTO workflow_runs (id, app_id, end_user_id, app_version_id, task_id, inputs, files, created_at)
    VALUES (:run_id, :app_id, :end_user_id, :app_version_id, :task_id, :inputs, :files, :now)
)
INSERT INTO tasks (id, app_id, end_user_id, app_version_id, mode, workflow_run_id, created_at)
VALUES (:task_id, :app_id, :end_user_id, :app_version_id, :mode, :run_id, :now)
"""
).bindparams(bindparam("inputs", type_=JSONB), bindparam("files", type_=JSONB))

LOAD_RUN = text(
    """
SELECT run.id::text AS run_id, run.inputs, run.files, run.dialogue_count, run.elapsed, run.created_at, end_user.session_id,
    run.variables, coalesce(message.answer, '') AS answer
FROM workflow_runs run JOIN end_users end_user ON end_user.id = run.end_user_id LEFT JOIN messages message ON message.id = run.message_id
WHERE run.id = :run_id
"""
)

PAST = text(
    """
SELECT frame, node_id, kind, id::text, index AS run_index, status, outputs, handle, writes, usage, exceptions, predecessor_node_id,
    extract(epoch FROM started_at)::float AS started_at
FROM node_executions WHERE run_id = :run_id AND status IN ('succeeded', 'exception', 'paused') ORDER BY position NULLS LAST
"""
)

_SAVE = """
WITH task AS (
    {task}
), saved AS (
    INSERT INTO node_executions (id, run_id, frame, position, node_id, kind, title, index, predecessor_node_id, iteration_id, loop_id,
        status, inputs, process_data, outputs, handle, writes, usage, exceptions, error, elapsed, started_at, finished_at)
    SELECT row.id, CAST(:run_id AS uuid), row.frame, row.position, row.node_id, row.kind, row.title, row.index,
        row.predecessor_node_id, row.iteration_id, row.loop_id, row.status, row.inputs, row.process_data, row.outputs, row.handle,
        row.writes, row.usage, row.exceptions, row.error, row.elapsed, to_timestamp(row.started_at), to_timestamp(row.finished_at)
    FROM task, jsonb_to_recordset(CAST(:rows AS jsonb)) AS row(id uuid, frame text, position integer, node_id text, kind text,
        title text, index integer, predecessor_node_id text, iteration_id text, loop_id text, status text, inputs jsonb,
        process_data jsonb, outputs jsonb, handle text, writes jsonb, usage jsonb, exceptions integer, error text,
        elapsed float, started_at float, finished_at float)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position, index = excluded.index, status = excluded.status,
        inputs = excluded.inputs, process_data = excluded.process_data, outputs = excluded.outputs, handle = excluded.handle,
        writes = excluded.writes, usage = excluded.usage, exceptions = excluded.exceptions, error = excluded.error,
        elapsed = excluded.elapsed, started_at = excluded.started_at, finished_at = excluded.finished_at
), variables AS (
    INSERT INTO conversation_variables (conversation_id, contents)
    SELECT CAST(:conversation_id AS uuid), CAST(:contents AS jsonb) FROM task
    WHERE CAST(:contents AS jsonb) IS NOT NULL AND CAST(:conversation_id AS uuid) IS NOT NULL
    ON CONFLICT (conversation_id) DO UPDATE SET contents = conversation_variables.contents || excluded.contents
){end}
"""
_OWNED = "SELECT id FROM tasks WHERE id = :task_id AND epoch = :epoch AND status = 'running' FOR UPDATE"

# Where the run waits for people. Gives the task's status and decisions: still running where something was decided meanwhile.
PAUSE_RUN = text(
    _SAVE.format(
        task="UPDATE tasks SET status = CASE WHEN decisions = :decisions THEN 'paused' ELSE status END,"
        " last_event = CASE WHEN decisions = :decisions THEN :last_event ELSE last_event END"
        " WHERE id = :task_id AND epoch = :epoch AND status = 'running' RETURNING id, status, decisions",
        end=""", run AS (
    UPDATE workflow_runs SET status = 'paused', outputs = CAST(:outputs AS jsonb), elapsed = :elapsed, total_tokens = :total_tokens, total_steps = :total_steps,
        exceptions_count = :exceptions_count
    FROM task WHERE workflow_runs.id = CAST(:run_id AS uuid) AND task.status = 'paused' RETURNING message_id
), message AS (
    UPDATE messages SET answer = :answer, status = 'paused', metadata = CAST(:details AS jsonb), prompt_tokens = :prompt_tokens,
        answer_tokens = :answer_tokens, latency = :elapsed
    FROM run WHERE messages.id = run.message_id
), form AS (
    INSERT INTO human_input_forms (id, run_id, node_id, node_title, definition, mails, expires_at, created_at)
    SELECT row.id, CAST(:run_id AS uuid), row.node_id, row.node_title, row.definition, row.mails, to_timestamp(row.expires_at), :now
    FROM task, jsonb_to_recordset(CAST(:forms AS jsonb)) AS row(id uuid, node_id text, node_title text, definition jsonb, mails jsonb,
        expires_at float)
    WHERE task.status = 'paused'
), recipient AS (
    INSERT INTO human_input_recipients (token, form_id, kind, email, mail, created_at)
    SELECT row.token, row.form_id, row.kind, row.email, row.mail, :now
    FROM task, jsonb_to_recordset(CAST(:recipients AS jsonb)) AS row(token text, form_id uuid, kind text, email text, mail integer)
    WHERE task.status = 'paused'
) SELECT status, decisions FROM task""",
    )
)

# Gives a row as long as the run is this epoch's.
SAVE_NODES = text(_SAVE.format(task=_OWNED, end=" SELECT id FROM task"))

FINISH_RUN = text(
    _SAVE.format(
        task="UPDATE tasks SET status = :task_status, failure = CAST(:failure AS jsonb), last_event = :last_event, finished_at = :now"
        " WHERE id = :task_id AND epoch = :epoch AND status = 'running' RETURNING id",
        end=""", run AS (
    UPDATE workflow_runs SET status = :status, outputs = CAST(:outputs AS jsonb), error = :error, elapsed = :elapsed,
        total_tokens = :total_tokens, total_steps = :total_steps, exceptions_count = :exceptions_count, finished_at = :now
    FROM task WHERE workflow_runs.id = CAST(:run_id AS uuid) RETURNING message_id
), form AS (
    UPDATE human_input_forms SET status = 'expired', decided_at = :now
    FROM task WHERE human_input_forms.run_id = CAST(:run_id AS uuid) AND human_input_forms.status = 'waiting'
), message AS (
    UPDATE messages SET answer = :answer, status = :message_status, error = :message_error, metadata = CAST(:details AS jsonb),
        prompt_tokens = :prompt_tokens, answer_tokens = :answer_tokens, latency = :elapsed
    FROM run WHERE messages.id = run.message_id
) SELECT id FROM task""",
    )
)

NODES_OF_RUN = text(
    """
SELECT id::text, node_id, kind, title, index AS run_index, iteration_id, loop_id, status, elapsed,
    extract(epoch FROM started_at)::float AS started_at, extract(epoch FROM finished_at)::float AS finished_at
FROM node_executions WHERE run_id = :run_id ORDER BY started_at, index
"""
)

STORED_RUN = text(
    """
SELECT run.id::text AS run_id, run.app_version_id::text, run.task_id::text, run.status, run.inputs, run.files, run.dialogue_count, run.outputs,
    run.error, run.elapsed, run.total_tokens, run.total_steps, run.exceptions_count, run.created_at, run.finished_at,
    run.app_id::text, run.end_user_id::text, end_user.session_id
FROM workflow_runs run JOIN end_users end_user ON end_user.id = run.end_user_id WHERE run.id = :run_id
"""
)


class LoadedRun(NamedTuple):
    """What LOAD_RUN gives. `answer`: the text as it was when the run last waited."""

    run_id: str
    inputs: dict[str, Any]
    files: list[Any]
    dialogue_count: int
    elapsed: float
    created_at: datetime.datetime
    session_id: str
    variables: dict[str, Any] | None
    answer: str


class StoredRun(NamedTuple):
    """What STORED_RUN gives."""

    run_id: str
    app_version_id: str
    task_id: str
    status: str
    inputs: dict[str, Any]
    files: list[Any]
    dialogue_count: int
    outputs: dict[str, Any] | None
    error: str | None
    elapsed: float
    total_tokens: int
    total_steps: int
    exceptions_count: int
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    app_id: str
    end_user_id: str
    session_id: str


def load_run(connection: Connection, run_id: str) -> LoadedRun:
    return LoadedRun(*connection.execute(LOAD_RUN, {"run_id": run_id}).one())


def stored_run(connection: Connection, run_id: str) -> StoredRun | None:
    row = connection.execute(STORED_RUN, {"run_id": run_id}).one_or_none()
    return None if row is None else StoredRun(*row)
