"""The messages of a conversation, as its history shows them."""

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.agents.steps import AgentStep
from app.errors import ConversationNotFound, FirstMessageNotFound
from app.extensions import autocommit_engine
from app.models import tasks
from app.models.agents import read_thoughts
from app.models.form_statements import FORMS_OF_MESSAGES, FormRow
from app.services.events.agent_steps import step_of
from app.services.events.task_states import answer_so_far
from app.services.files.file_links import renew
from app.services.files.file_values import shown_inputs
from app.services.process.owners import Owner

_PAGE = """
SELECT messages.id::text, parent_message_id::text, inputs, files, query, answer, messages.status, error, metadata, rating, messages.created_at,
    tasks.id::text AS task_id, tasks.status AS task_status, tasks.last_event, tasks.workflow_run_id
FROM messages LEFT JOIN tasks ON tasks.message_id = messages.id
WHERE messages.conversation_id = :conversation_id {older}
ORDER BY messages.created_at DESC, messages.id DESC LIMIT :limit
"""
_NEWEST = text(_PAGE.format(older=""))
_OLDER = text(
    _PAGE.format(
        older="AND (messages.created_at, messages.id) < "
        "(SELECT first.created_at, first.id FROM messages first WHERE first.id = :first_id AND first.conversation_id = :conversation_id)"
    )
)
_VISIBLE = text(
    "SELECT 1 FROM conversations WHERE id = :conversation_id AND app_id = :app_id AND end_user_id = :end_user_id AND deleted_at IS NULL"
)
_IN_CONVERSATION = text("SELECT 1 FROM messages WHERE id = :first_id AND conversation_id = :conversation_id")


@dataclass(frozen=True)
class ThoughtItem:
    """What an agent did in one round. `created_at` in Unix seconds."""

    step: AgentStep
    created_at: int


@dataclass(frozen=True)
class MessageItem:
    """One message of the history, its links fresh. `created_at` in Unix seconds; `details` is the full metadata, `forms` those of its run."""

    id: str
    conversation_id: str
    parent_message_id: str | None
    inputs: dict[str, Any]
    files: list[dict[str, Any]]
    query: str
    answer: str
    status: str
    error: str | None
    details: dict[str, Any] | None
    rating: str | None
    created_at: int
    forms: list[FormRow]
    thoughts: list[ThoughtItem]


@dataclass(frozen=True)
class MessagePage:
    """A page of messages, oldest first, and whether there are older ones."""

    rows: list[MessageItem]
    has_more: bool


def list_page(
    owner: Owner, conversation_id: str | None, first_id: str | None, limit: int, with_thoughts: bool = False
) -> MessagePage:
    """The newest `limit` messages, or those before `first_id`; a running answer is shown as far as it has come.

    `with_thoughts`: what an agent did, too. No conversation, no messages. Raises ConversationNotFound, FirstMessageNotFound.
    """
    if conversation_id is None:
        return MessagePage([], False)
    values = {"conversation_id": uuid.UUID(conversation_id), "limit": limit + 1, "first_id": first_id}
    with autocommit_engine().connect() as connection:
        _check(connection, owner, values)
        rows = connection.execute(_NEWEST if first_id is None else _OLDER, values).all()
        forms = _forms(connection, [row.id for row in rows[:limit] if row.workflow_run_id is not None])
        thoughts = _thoughts(connection, [row.id for row in rows[:limit]]) if with_thoughts else {}
    messages = [_message(conversation_id, row, forms.get(row.id, []), thoughts.get(row.id, [])) for row in rows[:limit]]
    return MessagePage(messages[::-1], len(rows) > limit)


def _check(connection: Connection, owner: Owner, values: dict[str, Any]) -> None:
    if connection.execute(_VISIBLE, owner.values() | values).first() is None:
        raise ConversationNotFound
    if values["first_id"] is not None and connection.execute(_IN_CONVERSATION, values).first() is None:
        raise FirstMessageNotFound


def _forms(connection: Connection, message_ids: list[str]) -> dict[str, list[FormRow]]:
    """The forms of the messages that have runs."""
    found: dict[str, list[FormRow]] = {}
    if message_ids:
        for row in connection.execute(FORMS_OF_MESSAGES, {"message_ids": message_ids}):
            found.setdefault(row.message_id, []).append(FormRow(*row[: len(FormRow._fields)]))
    return found


def _thoughts(connection: Connection, message_ids: list[str]) -> dict[str, list[ThoughtItem]]:
    found: dict[str, list[ThoughtItem]] = {}
    for row in read_thoughts(connection, message_ids):
        found.setdefault(row.message_id, []).append(ThoughtItem(step_of(row), int(row.created_at.timestamp())))
    return found


def _message(conversation_id: str, row: Any, forms: list[FormRow], thoughts: list[ThoughtItem]) -> MessageItem:
    answer = (
        answer_so_far(row.task_id, row.answer, row.last_event)[0] if row.task_status == tasks.RUNNING else row.answer
    )
    return MessageItem(
        row.id,
        conversation_id,
        row.parent_message_id,
        shown_inputs(row.inputs),
        row.files or [],
        row.query,
        renew(answer),
        row.status,
        row.error,
        row.metadata,
        row.rating,
        int(row.created_at.timestamp()),
        forms,
        thoughts,
    )
