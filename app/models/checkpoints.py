"""Checkpoints: what a worker stores of a workflow run while its nodes end, where it waits for people, and at its end.

Every statement saves the node executions and conversation variables that were not saved before, under the worker's
epoch. Node executions travel as one JSON list, so that a statement's text never changes, however many there are.

The values that all of them take (identifiers as text, JSON as text):
`task_id`, `epoch`, `run_id`; `rows`: a JSON list of node executions, with Unix times; `conversation_id` and `contents`:
the conversation's variables that changed, as a JSON object by the variable's id; both None where there are none.

The values that a pause and an end take beside these: `outputs` (JSON), `elapsed` (seconds), `total_tokens`,
`total_steps`, `exceptions_count`, `last_event`, `now`, `usage` (the rows of `usage_records`, JSON); and of the message,
if there is one: `answer`, `details` (JSON), `prompt_tokens`, `answer_tokens`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.models.execution import fetch_one, fetch_value
from app.models.usage_records import SAVE_TASK_USAGE

# `{task}` locks the task's row, or changes it: it gives a row only where the task runs under this epoch, and everything
# else stands on that row. A node execution is stored when it starts and again when it ends, hence the ON CONFLICT; what
# it is stays, and how it went is overwritten. Variables are merged, as each checkpoint has those that changed since the
# last one.
_SAVE = """
WITH task AS (
    {task}
), saved AS (
    INSERT INTO node_executions (
        id, run_id, frame, position, node_id, kind, title, index, predecessor_node_id, iteration_id, loop_id, status,
        inputs, process_data, outputs, handle, writes, usage, exceptions, error, elapsed, started_at, finished_at)
    SELECT row.id, CAST(:run_id AS uuid), row.frame, row.position, row.node_id, row.kind, row.title, row.index,
        row.predecessor_node_id, row.iteration_id, row.loop_id, row.status, row.inputs, row.process_data, row.outputs,
        row.handle, row.writes, row.usage, row.exceptions, row.error, row.elapsed, to_timestamp(row.started_at),
        to_timestamp(row.finished_at)
    FROM task, jsonb_to_recordset(CAST(:rows AS jsonb)) AS row(
        id uuid, frame text, position integer, node_id text, kind text, title text, index integer,
        predecessor_node_id text, iteration_id text, loop_id text, status text, inputs jsonb, process_data jsonb,
        outputs jsonb, handle text, writes jsonb, usage jsonb, exceptions integer, error text, elapsed float,
        started_at float, finished_at float)
    ON CONFLICT (id) DO UPDATE SET position = excluded.position, index = excluded.index, status = excluded.status,
        inputs = excluded.inputs, process_data = excluded.process_data, outputs = excluded.outputs,
        handle = excluded.handle, writes = excluded.writes, usage = excluded.usage, exceptions = excluded.exceptions,
        error = excluded.error, elapsed = excluded.elapsed, started_at = excluded.started_at,
        finished_at = excluded.finished_at
), variables AS (
    INSERT INTO conversation_variables (conversation_id, contents)
    SELECT CAST(:conversation_id AS uuid), CAST(:contents AS jsonb) FROM task
    WHERE CAST(:contents AS jsonb) IS NOT NULL AND CAST(:conversation_id AS uuid) IS NOT NULL
    ON CONFLICT (conversation_id) DO UPDATE SET contents = conversation_variables.contents || excluded.contents
){end}
"""

_SAVE_CHECKPOINT = text(
    _SAVE.format(
        task="SELECT id FROM tasks WHERE id = :task_id AND epoch = :epoch AND status = 'running' FOR UPDATE",
        end=" SELECT id FROM task",
    )
)

# Made where it is missing, so that there is a row to lock. An upsert that has waited for another transaction gives what
# that one has stored.
_LOCK_VARIABLES = text(
    """
WITH task AS (
    SELECT conversation_id FROM tasks WHERE id = :task_id AND epoch = :epoch AND status = 'running' FOR UPDATE
)
INSERT INTO conversation_variables (conversation_id, contents) SELECT conversation_id, '{}' FROM task
ON CONFLICT (conversation_id) DO UPDATE SET contents = conversation_variables.contents
RETURNING contents
"""
)

# `decisions` are those that the worker knew when it looked at the forms. Where the row has counted more, somebody has
# answered since: the task stays as it is, and so do run, message and forms; only nodes and variables are saved. The
# conditions on `task.status` say so for each of them.
_PAUSE = text(
    _SAVE.format(
        task="""UPDATE tasks SET status = CASE WHEN decisions = :decisions THEN 'paused' ELSE status END,
        last_event = CASE WHEN decisions = :decisions THEN :last_event ELSE last_event END,
        rested_epoch = CASE WHEN decisions = :decisions THEN epoch ELSE rested_epoch END
    WHERE id = :task_id AND epoch = :epoch AND status = 'running'
    RETURNING id, app_id, end_user_id, created_at, status, decisions""",
        end=f""", usage AS ({SAVE_TASK_USAGE}), run AS (
    UPDATE workflow_runs SET status = 'paused', outputs = CAST(:outputs AS jsonb), elapsed = :elapsed,
        total_tokens = :total_tokens, total_steps = :total_steps, exceptions_count = :exceptions_count
    FROM task WHERE workflow_runs.id = CAST(:run_id AS uuid) AND task.status = 'paused' RETURNING message_id
), message AS (
    UPDATE messages SET answer = :answer, status = 'paused', metadata = CAST(:details AS jsonb),
        prompt_tokens = :prompt_tokens, answer_tokens = :answer_tokens, latency = :elapsed
    FROM run WHERE messages.id = run.message_id
), form AS (
    INSERT INTO human_input_forms (id, run_id, node_id, node_title, definition, mails, expires_at, created_at)
    SELECT row.id, CAST(:run_id AS uuid), row.node_id, row.node_title, row.definition, row.mails,
        to_timestamp(row.expires_at), :now
    FROM task, jsonb_to_recordset(CAST(:forms AS jsonb)) AS row(
        id uuid, node_id text, node_title text, definition jsonb, mails jsonb, expires_at float)
    WHERE task.status = 'paused'
), recipient AS (
    INSERT INTO human_input_recipients (token, form_id, kind, email, mail, created_at)
    SELECT row.token, row.form_id, row.kind, row.email, row.mail, :now
    FROM task, jsonb_to_recordset(CAST(:recipients AS jsonb)) AS row(
        token text, form_id uuid, kind text, email text, mail integer)
    WHERE task.status = 'paused'
) SELECT status, decisions FROM task""",
    )
)

# Forms that still wait have nobody to go on for them.
_FINISH = text(
    _SAVE.format(
        task="""UPDATE tasks SET status = :task_status, failure = CAST(:failure AS jsonb), last_event = :last_event,
        rested_epoch = epoch, finished_at = :now
    WHERE id = :task_id AND epoch = :epoch AND status = 'running'
    RETURNING id, app_id, end_user_id, created_at""",
        end=f""", usage AS ({SAVE_TASK_USAGE}), run AS (
    UPDATE workflow_runs SET status = :status, outputs = CAST(:outputs AS jsonb), error = :error, elapsed = :elapsed,
        total_tokens = :total_tokens, total_steps = :total_steps, exceptions_count = :exceptions_count,
        finished_at = :now
    FROM task WHERE workflow_runs.id = CAST(:run_id AS uuid) RETURNING message_id
), form AS (
    UPDATE human_input_forms SET status = 'expired', decided_at = :now
    FROM task WHERE human_input_forms.run_id = CAST(:run_id AS uuid) AND human_input_forms.status = 'waiting'
), message AS (
    UPDATE messages SET answer = :answer, status = :message_status, error = :message_error,
        metadata = CAST(:details AS jsonb), prompt_tokens = :prompt_tokens, answer_tokens = :answer_tokens,
        latency = :elapsed
    FROM run WHERE messages.id = run.message_id
) SELECT id FROM task""",
    )
)


class PauseOutcome(NamedTuple):
    """What became of a task that was to pause. `status`: paused, or running where a form was decided meanwhile.

    `decisions`: how many forms of the run were decided so far.
    """

    status: str
    decisions: int


def save_checkpoint(values: Mapping[str, Any], connection: Connection | None = None) -> bool:
    """Save what was not saved yet; False where another epoch has the task, or it has ended."""
    return fetch_value(_SAVE_CHECKPOINT, values, connection) is not None


def lock_variables(connection: Connection, task_id: str, epoch: int) -> dict[str, Any] | None:
    """Return the variables of a task's conversation by their ids; no other run changes them until the transaction ends.

    None where another epoch has the task, or it has ended.
    """
    contents: dict[str, Any] | None = fetch_value(_LOCK_VARIABLES, {"task_id": task_id, "epoch": epoch}, connection)
    return contents


def pause_run(values: Mapping[str, Any]) -> PauseOutcome | None:
    """Save, and let the run wait for people; None where another epoch has the task, or it has ended.

    Takes beside the values of every pause and end: `decisions` that the worker knows of; `forms` and `recipients`: the
    rows to make, as JSON lists.
    """
    return fetch_one(_PAUSE, values, PauseOutcome)


def finish_run(values: Mapping[str, Any]) -> bool:
    """Save, and end the run, its task and its message; False where another epoch has the task, or it has ended.

    Takes beside the values of every pause and end: `task_status` and `failure` (JSON or None) of the task, `status` and
    `error` of the run, `message_status` and `message_error` of the message.
    """
    return fetch_value(_FINISH, values) is not None
