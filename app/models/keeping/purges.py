"""Remove the rows of deleted conversations, of workflow runs that are too old, and app versions that nothing needs."""

import datetime
import uuid
from typing import NamedTuple

from sqlalchemy import text

from app.models.execution import execute, fetch_all, fetch_values


class OldFile(NamedTuple):
    """A file that is old, and whether anything that is kept names it."""

    id: uuid.UUID
    app_id: uuid.UUID
    created_at: datetime.datetime
    named: bool


# A conversation that is answered just now, or waits for people, is not old. Asked one by one, as each of the two has an
# index of its own.
_HIDE_OLD = text(
    """
UPDATE conversations SET deleted_at = now() WHERE id IN (
    SELECT conversation.id FROM conversations conversation
    WHERE conversation.updated_at < :before AND conversation.deleted_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE conversation_id = conversation.id AND status = 'running')
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE conversation_id = conversation.id AND status = 'paused')
    ORDER BY conversation.updated_at, conversation.id LIMIT :most FOR UPDATE SKIP LOCKED
)
"""
)

# Tasks, workflow runs, node executions, forms and thoughts go with their messages. An answer that was stopped with its
# conversation ends in a moment, and its rows are left to its worker until then.
_PURGE_MESSAGES = text(
    """
DELETE FROM messages WHERE id IN (
    SELECT message.id FROM conversations conversation JOIN messages message ON message.conversation_id = conversation.id
    WHERE conversation.deleted_at IS NOT NULL AND (
        conversation.deleted_at < now() - interval '10 minutes'
        OR NOT EXISTS (SELECT 1 FROM tasks task WHERE task.message_id = message.id AND task.status = 'running')
    )
    LIMIT :most FOR UPDATE OF message SKIP LOCKED
) RETURNING task_id::text
"""
)
_PURGE_CONVERSATIONS = text(
    """
DELETE FROM conversations WHERE id IN (
    SELECT conversation.id FROM conversations conversation WHERE conversation.deleted_at IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM messages WHERE messages.conversation_id = conversation.id
    )
    LIMIT :most FOR UPDATE SKIP LOCKED
)
"""
)
_PURGE_RUNS = text(
    """
DELETE FROM workflow_runs WHERE id IN (
    SELECT run.id FROM workflow_runs run
    WHERE run.message_id IS NULL AND run.created_at < :before AND run.status NOT IN ('running', 'paused')
        AND coalesce(run.finished_at, run.created_at) < :before
    ORDER BY run.created_at, run.id LIMIT :most FOR UPDATE SKIP LOCKED
) RETURNING task_id::text
"""
)

# What is kept of a file's end user may name it anywhere: as a file object, or as a link in a text.
_OLD_FILES = text(
    """
WITH old AS (
    SELECT id, app_id, end_user_id, created_at, '%' || id::text || '%' AS sign FROM upload_files
    WHERE created_at < :before AND stored
        AND (CAST(:moment AS timestamptz) IS NULL OR (created_at, id) > (:moment, CAST(:after AS uuid)))
    ORDER BY created_at, id LIMIT :most
)
SELECT old.id, old.app_id, old.created_at, EXISTS (
    SELECT 1 FROM conversations conversation WHERE conversation.end_user_id = old.end_user_id
        AND conversation.deleted_at IS NULL AND conversation.inputs::text LIKE old.sign
    UNION ALL
    SELECT 1 FROM conversations conversation
    JOIN conversation_variables kept ON kept.conversation_id = conversation.id
    WHERE conversation.end_user_id = old.end_user_id AND conversation.deleted_at IS NULL
        AND kept.contents::text LIKE old.sign
    UNION ALL
    SELECT 1 FROM conversations conversation JOIN messages message ON message.conversation_id = conversation.id
    WHERE conversation.end_user_id = old.end_user_id AND conversation.deleted_at IS NULL AND (
        message.files::text LIKE old.sign OR message.inputs::text LIKE old.sign OR message.answer LIKE old.sign
        OR message.query LIKE old.sign OR message.metadata::text LIKE old.sign
    )
    UNION ALL
    SELECT 1 FROM workflow_runs run WHERE run.end_user_id = old.end_user_id AND (
        run.files::text LIKE old.sign OR run.inputs::text LIKE old.sign OR run.outputs::text LIKE old.sign
    )
    UNION ALL
    SELECT 1 FROM workflow_runs run JOIN node_executions node ON node.run_id = run.id
    WHERE run.end_user_id = old.end_user_id AND node.outputs::text LIKE old.sign
    UNION ALL
    SELECT 1 FROM human_input_files given JOIN human_input_forms form ON form.id = given.form_id
    WHERE given.upload_file_id = old.id
) AS named FROM old ORDER BY old.created_at, old.id
"""
)

# A process may know an app for a minute after it was published anew, and begin with its former version until then.
_DELETE_OLD_VERSIONS = text(
    """
DELETE FROM app_versions WHERE id IN (
    SELECT version.id FROM app_versions version
    WHERE NOT EXISTS (SELECT 1 FROM apps WHERE apps.version_id = version.id)
        AND EXISTS (
            SELECT 1 FROM app_versions newer WHERE newer.app_id = version.app_id
                AND newer.created_at > version.created_at AND newer.created_at < now() - interval '1 day'
        )
        AND NOT EXISTS (SELECT 1 FROM conversations WHERE conversations.app_version_id = version.id)
        AND NOT EXISTS (SELECT 1 FROM workflow_runs WHERE workflow_runs.app_version_id = version.id)
    LIMIT :most FOR UPDATE SKIP LOCKED
)
"""
)


def hide_old_conversations(before: datetime.datetime, most: int) -> int:
    """Mark conversations as deleted whose last activity was before a moment; return how many."""
    return execute(_HIDE_OLD, {"before": before, "most": most})


def purge_messages(most: int) -> list[str]:
    """Delete messages of deleted conversations with all that belongs to them; return the ids of their tasks."""
    return fetch_values(_PURGE_MESSAGES, {"most": most})


def purge_conversations(most: int) -> int:
    """Delete the rows of deleted conversations that have no messages any more; return how many."""
    return execute(_PURGE_CONVERSATIONS, {"most": most})


def purge_workflow_runs(before: datetime.datetime, most: int) -> list[str]:
    """Delete runs of workflow apps that ended before a moment; return the ids of their tasks."""
    return fetch_values(_PURGE_RUNS, {"before": before, "most": most})


def list_old_files(
    before: datetime.datetime, after: tuple[datetime.datetime, uuid.UUID] | None, most: int
) -> list[OldFile]:
    """Return files from before a moment, the oldest first, behind the one with this time and id."""
    moment, file_id = after or (None, None)
    return fetch_all(_OLD_FILES, {"before": before, "moment": moment, "after": file_id, "most": most}, OldFile)


def delete_old_versions(most: int) -> int:
    """Delete app versions that no app, conversation or run needs; return how many."""
    return execute(_DELETE_OLD_VERSIONS, {"most": most})
