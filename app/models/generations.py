"""The statements that every generation runs, one round trip each (to be run on the autocommit engine).

Identifiers go in and come out as text.
"""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql import bindparam


def _with_json(sql: str, *names: str) -> Any:
    return text(sql).bindparams(*(bindparam(name, type_=JSONB(none_as_null=True)) for name in names))


# A message to a chatflow has a run beside it: `{run}` is where its row is made.
_BEGIN_CONVERSATION = """
WITH conversation AS (
    INSERT INTO conversations (id, app_id, end_user_id, app_version_id, mode, name, inputs, introduction, created_at, updated_at)
    VALUES (:conversation_id, :app_id, :end_user_id, :app_version_id, :mode, :name, :inputs, :introduction, :now, :now)
), message AS (
    INSERT INTO messages (id, app_id, end_user_id, conversation_id, parent_message_id, task_id, query, inputs, files, created_at)
    VALUES (:message_id, :app_id, :end_user_id, :conversation_id, CAST(:parent_message_id AS uuid), :task_id, :query, :inputs, :files, :now)
){run}
INSERT INTO tasks (id, app_id, end_user_id, app_version_id, mode, conversation_id, message_id, workflow_run_id, options, created_at)
VALUES (:task_id, :app_id, :end_user_id, :app_version_id, :mode, :conversation_id, :message_id, CAST(:run_id AS uuid), :options, :now)
"""

_CONTINUE_CONVERSATION = """
WITH conversation AS (
    UPDATE conversations SET updated_at = :now
    WHERE id = :conversation_id AND app_id = :app_id AND end_user_id = :end_user_id AND deleted_at IS NULL
    RETURNING id
), message AS (
    INSERT INTO messages (
        id, app_id, end_user_id, conversation_id, parent_message_id, previous_message_id, task_id, query, inputs, files,
        created_at)
    SELECT CAST(:message_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), id, CAST(:parent_message_id AS uuid),
        CASE WHEN :after_latest THEN (
            SELECT latest.id FROM messages latest WHERE latest.conversation_id = conversation.id
            ORDER BY latest.created_at DESC, latest.id DESC LIMIT 1
        ) ELSE CAST(:parent_message_id AS uuid) END,
        CAST(:task_id AS uuid), :query, :inputs, :files, :now
    FROM conversation RETURNING previous_message_id
){run}
INSERT INTO tasks (id, app_id, end_user_id, app_version_id, mode, conversation_id, message_id, workflow_run_id, created_at)
SELECT CAST(:task_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), CAST(:app_version_id AS uuid),
    :mode, id, CAST(:message_id AS uuid), CAST(:run_id AS uuid), :now
FROM conversation RETURNING id
"""

_FIRST_RUN = """, run AS (
    INSERT INTO workflow_runs (id, app_id, end_user_id, app_version_id, task_id, message_id, inputs, files, dialogue_count, created_at)
    VALUES (:run_id, :app_id, :end_user_id, :app_version_id, :task_id, :message_id, :inputs, coalesce(:files, '[]'), 1, :now)
)"""
_NEXT_RUN = """, run AS (
    INSERT INTO workflow_runs (id, app_id, end_user_id, app_version_id, task_id, message_id, inputs, files, dialogue_count, variables, created_at)
    SELECT CAST(:run_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), CAST(:app_version_id AS uuid),
        CAST(:task_id AS uuid), CAST(:message_id AS uuid), :inputs, coalesce(:files, '[]'), coalesce((
            SELECT previous.dialogue_count FROM workflow_runs previous WHERE previous.message_id = message.previous_message_id
        ), 0) + 1, (SELECT kept.contents FROM conversation_variables kept WHERE kept.conversation_id = CAST(:conversation_id AS uuid)), :now
    FROM message
)"""

BEGIN_CONVERSATION = _with_json(_BEGIN_CONVERSATION.format(run=""), "inputs", "files", "options")
CONTINUE_CONVERSATION = _with_json(_CONTINUE_CONVERSATION.format(run=""), "inputs", "files")
BEGIN_CHATFLOW = _with_json(_BEGIN_CONVERSATION.format(run=_FIRST_RUN), "inputs", "options", "files")
CONTINUE_CHATFLOW = _with_json(_CONTINUE_CONVERSATION.format(run=_NEXT_RUN), "inputs", "files")

CLAIM = text(
    """
WITH task AS (
    UPDATE tasks SET epoch = epoch + 1 WHERE id = :task_id AND status = 'running' RETURNING *
)
SELECT task.id::text AS task_id, task.app_id::text, task.end_user_id::text, task.app_version_id::text, task.mode, task.epoch,
    task.last_event, task.created_at, coalesce(conversation_id::text, ''), coalesce(message_id::text, ''),
    coalesce(message.query, ''), coalesce(message.inputs, '{}'), message.previous_message_id::text,
    coalesce(message.created_at, task.created_at) AS message_created_at, task.options, task.workflow_run_id::text, message.files,
    task.decisions, task.resumed_at
FROM task LEFT JOIN LATERAL (
    SELECT query, inputs, files, previous_message_id, created_at FROM messages WHERE id = task.message_id
) AS message ON true
"""
)

FINISH = _with_json(
    """
WITH task AS (
    UPDATE tasks SET status = :task_status, failure = :failure, last_event = :last_event, finished_at = :now
    WHERE id = :task_id AND epoch = :epoch AND status = 'running' RETURNING message_id
)
UPDATE messages SET answer = :answer, status = :status, error = :error, metadata = :details,
    prompt_tokens = :prompt_tokens, answer_tokens = :answer_tokens, latency = :latency
FROM task WHERE messages.id = task.message_id RETURNING messages.id
""",
    "failure",
    "details",
)

FIND_TASK = text(
    """
SELECT tasks.id::text AS task_id, tasks.mode, tasks.status, tasks.epoch, tasks.last_event, tasks.failure, tasks.created_at,
    coalesce(tasks.conversation_id::text, ''), coalesce(tasks.message_id::text, ''),
    coalesce(message.created_at, tasks.created_at) AS message_created_at, coalesce(message.answer, ''), message.metadata,
    tasks.workflow_run_id::text, coalesce(message.query, '')
FROM tasks LEFT JOIN messages message ON message.id = tasks.message_id
LEFT JOIN conversations conversation ON conversation.id = tasks.conversation_id
WHERE (tasks.id = :id OR tasks.message_id = :id OR tasks.workflow_run_id = :id) AND conversation.deleted_at IS NULL
"""
)

OWNED_RUNNING = text(
    "SELECT 1 FROM tasks WHERE id = :task_id AND app_id = :app_id AND end_user_id = :end_user_id AND status = 'running'"
)

UNFINISHED = text(
    """
SELECT id::text FROM tasks WHERE status = 'running' AND created_at < :before ORDER BY created_at LIMIT :most
"""
)

# A message and those that it stands on, newest first; ends where one is missing.
THREAD = text(
    """
WITH RECURSIVE thread AS (
    SELECT previous_message_id, query, answer, 1 AS depth FROM messages
    WHERE id = :message_id AND conversation_id = :conversation_id
    UNION ALL
    SELECT earlier.previous_message_id, earlier.query, earlier.answer, depth + 1
    FROM thread JOIN messages earlier ON earlier.id = thread.previous_message_id
    WHERE earlier.conversation_id = :conversation_id AND depth < :most
)
SELECT query, answer FROM thread ORDER BY depth
"""
)

# The files of the latest message of a thread to which its visitor gave some.
THREAD_FILES = text(
    """
WITH RECURSIVE thread AS (
    SELECT previous_message_id, files, 1 AS depth FROM messages WHERE id = :message_id AND conversation_id = :conversation_id
    UNION ALL
    SELECT earlier.previous_message_id, earlier.files, depth + 1
    FROM thread JOIN messages earlier ON earlier.id = thread.previous_message_id
    WHERE earlier.conversation_id = :conversation_id AND depth < :most
        AND NOT coalesce(thread.files @> '[{"belongs_to": "user"}]', false)
)
SELECT files FROM thread WHERE files @> '[{"belongs_to": "user"}]'
"""
)


class ClaimedTask(NamedTuple):
    """What CLAIM gives: the task, and the message it answers; runs of mode `workflow` have none, and empty texts for it.

    `decisions`: how many forms of the run were decided so far; `resumed_at`: since when it runs, where it waited for one.
    """

    task_id: str
    app_id: str
    end_user_id: str
    app_version_id: str
    mode: str
    epoch: int
    last_event: int
    created_at: datetime.datetime
    conversation_id: str
    message_id: str
    query: str
    inputs: dict[str, Any]
    previous_message_id: str | None
    message_created_at: datetime.datetime
    options: dict[str, Any] | None
    workflow_run_id: str | None = None
    files: list[dict[str, Any]] | None = None
    decisions: int = 0
    resumed_at: datetime.datetime | None = None


class TaskState(NamedTuple):
    """What FIND_TASK gives: how a task stands, and the stored answer."""

    task_id: str
    mode: str
    status: str
    epoch: int
    last_event: int
    failure: dict[str, Any] | None
    created_at: datetime.datetime
    conversation_id: str
    message_id: str
    message_created_at: datetime.datetime
    answer: str
    details: dict[str, Any] | None
    workflow_run_id: str | None = None
    query: str = ""


def claim(connection: Connection, task_id: str) -> ClaimedTask | None:
    """Take a running task as its next epoch; None where it is not running (any more)."""
    row = connection.execute(CLAIM, {"task_id": task_id}).one_or_none()
    return None if row is None else ClaimedTask(*row)


def find_task(
    connection: Connection, identifier: str, app_id: str | None = None, end_user_id: str | None = None
) -> TaskState | None:
    """The task of this task id or message id; with `app_id` and `end_user_id` only if it is theirs."""
    statement, values = FIND_TASK, {"id": identifier}
    if app_id is not None:
        statement = text(FIND_TASK.text + " AND tasks.app_id = :app_id AND tasks.end_user_id = :end_user_id")
        values |= {"app_id": app_id, "end_user_id": end_user_id or ""}
    row = connection.execute(statement, values).one_or_none()
    return None if row is None else TaskState(*row)


def read_thread(connection: Connection, conversation_id: str, message_id: str, most: int) -> list[tuple[str, str]]:
    """(query, answer) of this message and the `most` - 1 before it in its thread, oldest first."""
    values = {"conversation_id": conversation_id, "message_id": message_id, "most": most}
    return [(row.query, row.answer) for row in connection.execute(THREAD, values)][::-1]


def read_thread_files(connection: Connection, conversation_id: str, message_id: str, most: int) -> list[dict[str, Any]]:
    """The stored files of this message, or of the first before it in its thread that has any; looks at `most` messages."""
    values = {"conversation_id": conversation_id, "message_id": message_id, "most": most}
    return connection.execute(THREAD_FILES, values).scalar_one_or_none() or []
