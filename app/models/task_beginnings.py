"""The rows that an answer or a workflow run begins with: conversation, message, run and task, in one statement.

One statement, so that there is never a message without its task: a worker that looks for tasks nobody executes finds
what was committed, even where the web process died right behind it. Identifiers are text.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from app.models.execution import execute, fetch_value, json_text
from app.models.owners import owned


@dataclass(frozen=True, kw_only=True)
class NewAnswer:
    """A message to be answered, by a model or (with `run_id`) by a chatflow's run, and its task.

    `after_latest`: the client did not say which message this one follows. `files`: stored file objects, None for none.
    `options`: model parameters of this answer alone. `name` and `introduction` are a new conversation's.
    `request_id` and `traceparent`: of the request that begins it.
    """

    task_id: str
    app_id: str
    end_user_id: str
    app_version_id: str
    mode: str
    conversation_id: str
    message_id: str
    parent_message_id: str | None
    after_latest: bool
    query: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None
    options: dict[str, Any] | None
    run_id: str | None
    now: datetime.datetime
    name: str = ""
    introduction: str = ""
    request_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """A run of a workflow app, which has no message, and its task. `files`: stored file objects.

    `request_id` and `traceparent`: of the request that begins it.
    """

    task_id: str
    app_id: str
    end_user_id: str
    app_version_id: str
    mode: str
    run_id: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]]
    now: datetime.datetime
    request_id: str | None = None
    traceparent: str | None = None


# A task's times are the database's: workers count its seconds, and the clocks of hosts need not agree.
#
# The parts of a WITH are executed in no given order, but foreign keys are checked at the statement's end: that
# conversation, message, run and task refer to each other does no harm. `{run}` is where a chatflow's run is made.
_BEGIN = """
WITH conversation AS (
    INSERT INTO conversations (
        id, app_id, end_user_id, app_version_id, mode, name, inputs, introduction, created_at, updated_at)
    VALUES (
        :conversation_id, :app_id, :end_user_id, :app_version_id, :mode, :name, :inputs, :introduction, :now, :now)
), message AS (
    INSERT INTO messages (
        id, app_id, end_user_id, conversation_id, parent_message_id, task_id, query, inputs, files, created_at)
    VALUES (
        :message_id, :app_id, :end_user_id, :conversation_id, CAST(:parent_message_id AS uuid), :task_id, :query,
        :inputs, :files, :now)
){run}
INSERT INTO tasks (
    id, app_id, end_user_id, app_version_id, mode, conversation_id, message_id, workflow_run_id, options, request_id,
    traceparent, created_at)
VALUES (
    :task_id, :app_id, :end_user_id, :app_version_id, :mode, :conversation_id, :message_id, CAST(:run_id AS uuid),
    :options, :request_id, :traceparent, clock_timestamp())
"""

_FIRST_RUN = """, run AS (
    INSERT INTO workflow_runs (
        id, app_id, end_user_id, app_version_id, task_id, message_id, inputs, files, dialogue_count, created_at)
    VALUES (
        :run_id, :app_id, :end_user_id, :app_version_id, :task_id, :message_id, :inputs, coalesce(:files, '[]'), 1,
        :now)
)"""

# Everything hangs on the UPDATE of the conversation: where it is not the owner's or was deleted no row is made, and a
# deletion at the same moment waits for this statement or is seen by it. A message whose parent the client does not name
# follows the latest one. `options` are a first message's alone.
_CONTINUE = """
WITH conversation AS (
    UPDATE conversations SET updated_at = :now
    WHERE id = :conversation_id AND {owned} AND deleted_at IS NULL
    RETURNING id
), message AS (
    INSERT INTO messages (
        id, app_id, end_user_id, conversation_id, parent_message_id, previous_message_id, task_id, query, inputs,
        files, created_at)
    SELECT CAST(:message_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), id,
        CAST(:parent_message_id AS uuid),
        CASE WHEN :after_latest THEN (
            SELECT latest.id FROM messages latest WHERE latest.conversation_id = conversation.id
            ORDER BY latest.created_at DESC, latest.id DESC LIMIT 1
        ) ELSE CAST(:parent_message_id AS uuid) END,
        CAST(:task_id AS uuid), :query, :inputs, :files, :now
    FROM conversation RETURNING previous_message_id
){run}
INSERT INTO tasks (
    id, app_id, end_user_id, app_version_id, mode, conversation_id, message_id, workflow_run_id, request_id,
    traceparent, created_at)
SELECT CAST(:task_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), CAST(:app_version_id AS uuid),
    :mode, id, CAST(:message_id AS uuid), CAST(:run_id AS uuid), :request_id, :traceparent, clock_timestamp()
FROM conversation RETURNING id
"""

# The count of the thread and the variables of the conversation are copied: what the run begins with stays as it was,
# for a worker that goes through the run again.
_NEXT_RUN = """, run AS (
    INSERT INTO workflow_runs (
        id, app_id, end_user_id, app_version_id, task_id, message_id, inputs, files, dialogue_count, variables,
        created_at)
    SELECT CAST(:run_id AS uuid), CAST(:app_id AS uuid), CAST(:end_user_id AS uuid), CAST(:app_version_id AS uuid),
        CAST(:task_id AS uuid), CAST(:message_id AS uuid), :inputs, coalesce(:files, '[]'),
        coalesce((
            SELECT previous.dialogue_count FROM workflow_runs previous
            WHERE previous.message_id = message.previous_message_id
        ), 0) + 1,
        (
            SELECT kept.contents FROM conversation_variables kept
            WHERE kept.conversation_id = CAST(:conversation_id AS uuid)
        ), :now
    FROM message
)"""

# By whether a run is made.
_BEGIN_CONVERSATION = {
    False: json_text(_BEGIN.format(run=""), "inputs", "files", "options"),
    True: json_text(_BEGIN.format(run=_FIRST_RUN), "inputs", "files", "options"),
}
_CONTINUE_CONVERSATION = {
    False: json_text(_CONTINUE.format(owned=owned("conversations"), run=""), "inputs", "files"),
    True: json_text(_CONTINUE.format(owned=owned("conversations"), run=_NEXT_RUN), "inputs", "files"),
}

_BEGIN_RUN = json_text(
    """
WITH run AS (
    INSERT INTO workflow_runs (id, app_id, end_user_id, app_version_id, task_id, inputs, files, created_at)
    VALUES (:run_id, :app_id, :end_user_id, :app_version_id, :task_id, :inputs, :files, :now)
)
INSERT INTO tasks (
    id, app_id, end_user_id, app_version_id, mode, workflow_run_id, request_id, traceparent, created_at)
VALUES (
    :task_id, :app_id, :end_user_id, :app_version_id, :mode, :run_id, :request_id, :traceparent, clock_timestamp())
""",
    "inputs",
    "files",
)


def begin_conversation(new: NewAnswer) -> None:
    """Make a conversation with its first message and the task; with `run_id` the message's workflow run, too."""
    execute(_BEGIN_CONVERSATION[new.run_id is not None], vars(new))


def continue_conversation(new: NewAnswer) -> bool:
    """Add a message and its task to a conversation; with `run_id` the message's workflow run, too.

    Gives False and makes nothing where the conversation is not the end user's or is deleted.
    """
    return fetch_value(_CONTINUE_CONVERSATION[new.run_id is not None], vars(new)) is not None


def begin_workflow_run(new: NewRun) -> None:
    """Make a run of a workflow app and its task."""
    execute(_BEGIN_RUN, vars(new))
