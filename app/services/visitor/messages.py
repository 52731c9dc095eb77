"""List the messages of a conversation (contract endpoints.md, GET /messages)."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.agents.steps import AgentStep
from app.errors import ConversationNotFound, FirstMessageNotFound
from app.models import tasks
from app.models.agent_thoughts import list_thoughts
from app.models.conversations import is_visible_conversation
from app.models.forms import FormRow, list_forms_of_messages
from app.models.messages import HistoryRow, is_in_conversation, list_messages
from app.models.owners import Owner
from app.services.events.stored_frames import step_of
from app.services.events.task_states import answer_so_far
from app.services.files.file_links import renewed
from app.services.files.file_values import shown_inputs


@dataclass(frozen=True)
class ThoughtItem:
    """What an agent did in one round. `created_at` in Unix seconds."""

    step: AgentStep
    created_at: int


@dataclass(frozen=True)
class MessageItem:
    """One message of the history. Links in `answer` have fresh signatures.

    `created_at` in Unix seconds. `details`: the whole stored metadata. `forms`: those of the message's workflow run.
    """

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
    """Return the newest `limit` messages, or those before `first_id`. A running answer is shown as far as it has come.

    A page ends early where its messages have more than HISTORY_PAGE_BYTES together.
    `with_thoughts`: also what an agent did. Without `conversation_id` the page is empty.
    Raises ConversationNotFound, FirstMessageNotFound.
    """
    if conversation_id is None:
        return MessagePage([], False)
    wanted = uuid.UUID(conversation_id)
    if not is_visible_conversation(owner, wanted):
        raise ConversationNotFound
    if first_id is not None and not is_in_conversation(wanted, first_id):
        raise FirstMessageNotFound
    rows = list_messages(wanted, first_id, limit + 1, current_app.config["HISTORY_PAGE_BYTES"], with_thoughts)[:limit]
    forms = _forms([row.id for row in rows if row.workflow_run_id is not None])
    thoughts = _thoughts([row.id for row in rows]) if with_thoughts else {}
    answers = renewed(owner, [_answer(row) for row in rows])
    messages = [
        _message(conversation_id, row, answer, forms.get(row.id, []), thoughts.get(row.id, []))
        for row, answer in zip(rows, answers, strict=True)
    ]
    return MessagePage(messages[::-1], bool(rows) and rows[-1].behind > 0)


def _forms(message_ids: list[str]) -> dict[str, list[FormRow]]:
    """Return the forms of each message that has a workflow run, by message id."""
    found: dict[str, list[FormRow]] = {}
    if message_ids:
        for row in list_forms_of_messages(message_ids):
            found.setdefault(row.message_id, []).append(row)
    return found


def _thoughts(message_ids: list[str]) -> dict[str, list[ThoughtItem]]:
    found: dict[str, list[ThoughtItem]] = {}
    for row in list_thoughts(message_ids):
        found.setdefault(row.message_id, []).append(ThoughtItem(step_of(row), int(row.created_at.timestamp())))
    return found


def _answer(row: HistoryRow) -> str:
    """Return the message's answer; while it is generated, as far as it has come."""
    if row.task_id is None or row.task_status != tasks.RUNNING:
        return row.answer
    return answer_so_far(row.task_id, row.answer, row.last_event or 0)[0]


def _message(
    conversation_id: str, row: HistoryRow, answer: str, forms: list[FormRow], thoughts: list[ThoughtItem]
) -> MessageItem:
    return MessageItem(
        id=row.id,
        conversation_id=conversation_id,
        parent_message_id=row.parent_message_id,
        inputs=shown_inputs(row.inputs),
        files=row.files or [],
        query=row.query,
        answer=answer,
        status=row.status,
        error=row.error,
        details=row.details,
        rating=row.rating,
        created_at=int(row.created_at.timestamp()),
        forms=forms,
        thoughts=thoughts,
    )
