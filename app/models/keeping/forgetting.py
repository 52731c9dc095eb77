"""Find a person's rows, count them, and remove them.

An end user that is to be forgotten is marked first: of kind `forgotten`, with a hash of its session in the place of the
session. No passport and no link finds it from then on, whoever uses the session gets a new end user, and its row stays
until everything else of it is gone, so that whoever comes next goes on with it.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, text

from app.models.execution import execute, fetch_all, fetch_existing, fetch_one, fetch_values
from app.models.upload_files import LeftOverFile

FORGOTTEN = "forgotten"


class PersonAccount(NamedTuple):
    """The account of a person."""

    id: uuid.UUID
    email: str


@dataclass(frozen=True)
class PersonCounts:
    """How many rows a person has. `answers_under_way`: running and paused ones; `bytes`: those of all files.

    `form_mails`: mails of forms to the address. `names_in_usage`: usage records that say whose they are.
    """

    accounts: int
    end_users: int
    conversations: int
    messages: int
    ratings: int
    thoughts: int
    workflow_runs: int
    node_executions: int
    forms: int
    form_mails: int
    files: int
    bytes: int
    names_in_usage: int
    answers_under_way: int


_FIND_ACCOUNT = text("SELECT id, email FROM accounts WHERE email = :email OR id = CAST(:id AS uuid)")

_COUNT = text(
    """
SELECT (SELECT count(*) FROM accounts WHERE email = :email) AS accounts,
    (SELECT count(*) FROM end_users WHERE id = ANY(:ids)) AS end_users,
    (SELECT count(*) FROM conversations WHERE end_user_id = ANY(:ids)) AS conversations,
    message.messages, message.ratings,
    (
        SELECT count(*) FROM conversations JOIN messages ON messages.conversation_id = conversations.id
        JOIN agent_thoughts ON agent_thoughts.message_id = messages.id WHERE conversations.end_user_id = ANY(:ids)
    ) AS thoughts,
    (SELECT count(*) FROM workflow_runs WHERE end_user_id = ANY(:ids)) AS workflow_runs,
    (
        SELECT count(*) FROM workflow_runs JOIN node_executions ON node_executions.run_id = workflow_runs.id
        WHERE workflow_runs.end_user_id = ANY(:ids)
    ) AS node_executions,
    (
        SELECT count(*) FROM workflow_runs JOIN human_input_forms ON human_input_forms.run_id = workflow_runs.id
        WHERE workflow_runs.end_user_id = ANY(:ids)
    ) AS forms,
    (SELECT count(*) FROM human_input_recipients WHERE email = :email) AS form_mails,
    file.files, file.bytes,
    (SELECT count(*) FROM usage_records WHERE end_user_id = ANY(:ids)) AS names_in_usage,
    message.answering + (
        SELECT count(*) FROM workflow_runs
        WHERE end_user_id = ANY(:ids) AND message_id IS NULL AND status IN ('running', 'paused')
    ) AS answers_under_way
FROM (
    SELECT count(*) AS messages, count(messages.rating) AS ratings,
        count(*) FILTER (WHERE tasks.status IN ('running', 'paused')) AS answering
    FROM conversations JOIN messages ON messages.conversation_id = conversations.id
    LEFT JOIN tasks ON tasks.message_id = messages.id WHERE conversations.end_user_id = ANY(:ids)
) message, (
    SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS bytes FROM upload_files WHERE end_user_id = ANY(:ids)
) file
"""
)

# A session can be forgotten again before the first time is done: the id keeps the two apart.
_HASH = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"
_MARK = text(
    f"""
UPDATE end_users SET kind = 'forgotten', session_id = {_HASH.format("session_id")} || ' ' || id::text
WHERE id = ANY(:ids) AND kind <> 'forgotten'
"""
)
_MARKED_OF = text(
    f"""
SELECT id FROM end_users
WHERE kind = 'forgotten' AND starts_with(session_id, {_HASH.format("CAST(:session AS text)")} || ' ') ORDER BY id
"""
)
_HIDE = text("UPDATE conversations SET deleted_at = now() WHERE end_user_id = ANY(:ids) AND deleted_at IS NULL")
_DELETE_ACCOUNT = text("DELETE FROM accounts WHERE email = :email")
_DELETE_RECIPIENTS = text("DELETE FROM human_input_recipients WHERE email = :email")
_MARKED = text("SELECT id FROM end_users WHERE kind = 'forgotten' ORDER BY id LIMIT :most")

_RUNNING = text(
    """
SELECT tasks.id::text FROM conversations JOIN messages ON messages.conversation_id = conversations.id
JOIN tasks ON tasks.message_id = messages.id
WHERE conversations.end_user_id = ANY(:ids) AND tasks.status = 'running'
UNION ALL
SELECT tasks.id::text FROM workflow_runs JOIN tasks ON tasks.workflow_run_id = workflow_runs.id
WHERE workflow_runs.end_user_id = ANY(:ids) AND workflow_runs.message_id IS NULL AND tasks.status = 'running'
"""
)

_DELETE_MESSAGES = text(
    """
DELETE FROM messages WHERE id IN (
    SELECT messages.id FROM conversations JOIN messages ON messages.conversation_id = conversations.id
    WHERE conversations.end_user_id = ANY(:ids) LIMIT :most
) RETURNING task_id::text
"""
)
_DELETE_RUNS = text(
    """
DELETE FROM workflow_runs WHERE id IN (SELECT id FROM workflow_runs WHERE end_user_id = ANY(:ids) LIMIT :most)
RETURNING task_id::text
"""
)
_DELETE_CONVERSATIONS = text(
    """
DELETE FROM conversations WHERE id IN (SELECT id FROM conversations WHERE end_user_id = ANY(:ids) LIMIT :most)
RETURNING id::text
"""
)
# Sums of tokens and money stay; whose they were does not.
_FREE_USAGE = text(
    """
UPDATE usage_records SET end_user_id = NULL WHERE id IN (
    SELECT id FROM usage_records WHERE end_user_id = ANY(:ids) LIMIT :most
) RETURNING id::text
"""
)
_LIST_FILES = text("SELECT id, app_id FROM upload_files WHERE end_user_id = ANY(:ids) LIMIT :most")
_DELETE_END_USERS = text("DELETE FROM end_users WHERE id = ANY(:ids)")


def find_person_account(email: str, account_id: uuid.UUID | None) -> PersonAccount | None:
    """Return the account of an address or an id."""
    return fetch_one(_FIND_ACCOUNT, {"email": email, "id": account_id}, PersonAccount)


def count_person(end_user_ids: Collection[uuid.UUID], email: str | None) -> PersonCounts:
    """Return what these end users have, and an account of this address."""
    return fetch_existing(_COUNT, {"ids": list(end_user_ids), "email": email}, PersonCounts)


def begin_to_forget(connection: Connection, end_user_ids: Collection[uuid.UUID], email: str | None) -> None:
    """Mark end users, hide their conversations, and delete the account of an address and the mails to it."""
    values = {"ids": list(end_user_ids)}
    execute(_MARK, values, connection)
    execute(_HIDE, values, connection)
    if email is not None:
        execute(_DELETE_ACCOUNT, {"email": email}, connection)
        execute(_DELETE_RECIPIENTS, {"email": email}, connection)


def list_marked_of(session: str) -> list[uuid.UUID]:
    """Return end users of a session that were marked and are still there."""
    return fetch_values(_MARKED_OF, {"session": session})


def list_end_users_to_forget(most: int) -> list[uuid.UUID]:
    """Return end users that were marked and are still there."""
    return fetch_values(_MARKED, {"most": most})


def list_running_tasks_of(end_user_ids: Collection[uuid.UUID]) -> list[str]:
    """Return the ids of the running tasks of these end users."""
    return fetch_values(_RUNNING, {"ids": list(end_user_ids)})


def delete_messages_of(end_user_ids: Collection[uuid.UUID], most: int) -> list[str]:
    """Delete messages with all that belongs to them; return the ids of their tasks."""
    return fetch_values(_DELETE_MESSAGES, {"ids": list(end_user_ids), "most": most})


def delete_runs_of(end_user_ids: Collection[uuid.UUID], most: int) -> list[str]:
    """Delete workflow runs with all that belongs to them; return the ids of their tasks."""
    return fetch_values(_DELETE_RUNS, {"ids": list(end_user_ids), "most": most})


def delete_conversations_of(end_user_ids: Collection[uuid.UUID], most: int) -> list[str]:
    """Delete conversations, and return their ids."""
    return fetch_values(_DELETE_CONVERSATIONS, {"ids": list(end_user_ids), "most": most})


def free_usage_of(end_user_ids: Collection[uuid.UUID], most: int) -> list[str]:
    """Let usage records say no more whose they are, and return their ids."""
    return fetch_values(_FREE_USAGE, {"ids": list(end_user_ids), "most": most})


def list_files_of(end_user_ids: Collection[uuid.UUID], most: int) -> list[LeftOverFile]:
    """Return files of these end users."""
    return fetch_all(_LIST_FILES, {"ids": list(end_user_ids), "most": most}, LeftOverFile)


def delete_end_users(end_user_ids: Collection[uuid.UUID]) -> int:
    """Delete end users, with whatever came meanwhile; return how many."""
    return execute(_DELETE_END_USERS, {"ids": list(end_user_ids)})
