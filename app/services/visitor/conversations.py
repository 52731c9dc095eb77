"""List, name, pin and delete an end user's conversations (contract endpoints.md, /conversations)."""

import uuid
from dataclasses import dataclass
from typing import Any

import structlog

from app.errors import ConversationNotFound, GenerationError, InvalidParam, LastConversationNotFound
from app.extensions import redis_client
from app.models.conversations import (
    BegunConversation,
    ConversationRow,
    find_begun_conversation,
    find_begun_conversation_of,
    find_list_anchor,
    has_pinned_conversation,
    hide_conversation,
    list_conversations,
    pin_conversation,
    rename_conversation,
    replace_conversation_name,
)
from app.models.owners import Owner
from app.models.tasks import list_running_tasks
from app.services.definitions.published_apps import version
from app.services.files.file_values import shown_inputs
from app.services.process.providers import model_routes
from app.services.process.usage_rows import NAME
from app.services.visitor.generations import first_name
from app.services.visitor.short_answers import short_answer
from app.streams import signals

log = structlog.get_logger(__name__)

NAME_LIMIT = 255
GENERATED_NAME_LIMIT = 75
NAMING_QUERY_LIMIT = 2_000
_AROUND_TITLES = " \"'`*#“”„«»「」"
NAMING_PROMPT = (
    "Write a title of two to six words, in the language of the text, for a conversation that begins with the text "
    "below. Answer with the title alone, without quotation marks.\n\nText: {query}\n\nTitle:"
)


@dataclass(frozen=True)
class ConversationItem:
    """One conversation of a list. Times in Unix seconds."""

    id: str
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True)
class ConversationPage:
    """A page of conversations, and whether there is a next one."""

    rows: list[ConversationItem]
    has_more: bool


@dataclass(frozen=True)
class ConversationListing:
    """Which page a client asks for.

    `last_id`: the last conversation that it has, None for the first page. `pinned`: only pinned ones, only others, or
    None for all. `sort_by`: `created_at` or `updated_at`, with `-` before it for the newest first.
    """

    last_id: str | None = None
    limit: int = 20
    pinned: bool | None = None
    sort_by: str = "-updated_at"


def list_page(owner: Owner, listing: ConversationListing) -> ConversationPage:
    """Return the page behind `last_id`.

    Raises LastConversationNotFound where `last_id` is not among the conversations that the filter lets through.
    """
    after = None
    if listing.last_id is not None:
        anchor = find_list_anchor(owner, listing.last_id, listing.sort_by, listing.pinned)
        if anchor is None:
            if listing.pinned and not has_pinned_conversation(owner):
                return ConversationPage([], False)
            raise LastConversationNotFound
        after = anchor, listing.last_id
    rows = list_conversations(owner, listing.sort_by, listing.pinned, after, listing.limit + 1)
    return ConversationPage([_conversation(row) for row in rows[: listing.limit]], len(rows) > listing.limit)


def rename(owner: Owner, conversation_id: uuid.UUID, name: str) -> ConversationItem:
    """Give a conversation a name. Raises ConversationNotFound, InvalidParam for a name that is too long."""
    if len(name) > NAME_LIMIT:
        raise InvalidParam(f"name must have at most {NAME_LIMIT} characters")
    row = rename_conversation(owner, conversation_id, name.replace("\0", ""))
    if row is None:
        raise ConversationNotFound
    return _conversation(row)


def generate_name(owner: Owner, conversation_id: uuid.UUID) -> ConversationItem:
    """Let the app's model name the conversation by its first question. Where the model fails, the old name stays.

    Raises ConversationNotFound, InvalidParam with an empty message where nothing was asked yet.
    """
    begun = find_begun_conversation(owner, conversation_id)
    if begun is None:
        raise ConversationNotFound
    if begun.query is None:
        raise InvalidParam("")
    try:
        name = _title(begun)
    except GenerationError as error:
        log.warning("conversation.not_named", conversation_id=str(conversation_id), error=error.message)
        return _conversation(begun)
    if not name:
        return _conversation(begun)
    row = rename_conversation(owner, conversation_id, name)
    if row is None:
        raise ConversationNotFound
    return _conversation(row)


def name_unheard(task_id: str) -> None:
    """Let the app's model name the conversation that a task's answer has begun, unless somebody has named it.

    For answers whose end nobody listened to: whoever comes later takes the conversation as it is.
    """
    begun = find_begun_conversation_of(task_id)
    if begun is None or begun.query is None or begun.name != first_name(begun.query):
        return
    try:
        name = _title(begun)
    except GenerationError as error:
        log.warning("conversation.not_named", conversation_id=begun.id, error=error.message)
        return
    if name:
        replace_conversation_name(begun.id, begun.name, name)


def pin(owner: Owner, conversation_id: uuid.UUID, pinned: bool) -> None:
    """Pin or unpin a conversation; a second call changes nothing. Raises ConversationNotFound."""
    if not pin_conversation(owner, conversation_id, pinned):
        raise ConversationNotFound


def delete(owner: Owner, conversation_id: uuid.UUID) -> None:
    """Hide a conversation and stop its running answers; housekeeping removes the rows.

    Raises ConversationNotFound.
    """
    if not hide_conversation(owner, conversation_id):
        raise ConversationNotFound
    for task_id in list_running_tasks(conversation_id):
        signals.request_stop(redis_client.client, task_id)


def _title(begun: BegunConversation) -> str:
    model = version(begun.app_version_id).model()
    prompt = NAMING_PROMPT.format(query=(begun.query or "")[:NAMING_QUERY_LIMIT])
    chat_model = model_routes().chat_model(model.provider, model.name, model.mode)
    answer = short_answer(
        chat_model,
        prompt,
        {"temperature": 0.2},
        lambda so_far: bool(_first_line(so_far.rpartition("\n")[0])),
        begun.id,
        NAME,
    )
    title = _first_line(answer)
    return title if len(title) <= GENERATED_NAME_LIMIT else title[: GENERATED_NAME_LIMIT - 3] + "..."


def _first_line(answer: str) -> str:
    """Return the first line with words, without the signs around them; "" where there is none."""
    lines = (line.strip().removeprefix("Title:").strip(_AROUND_TITLES) for line in answer.splitlines())
    return next(filter(None, lines), "")


def _conversation(row: ConversationRow | BegunConversation) -> ConversationItem:
    return ConversationItem(
        id=row.id,
        name=row.name,
        inputs=shown_inputs(row.inputs),
        status=row.status,
        introduction=row.introduction,
        created_at=int(row.created_at.timestamp()),
        updated_at=int(row.updated_at.timestamp()),
    )
