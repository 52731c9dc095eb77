"""An end user's conversations: list, rename, pin, delete."""

import datetime
import time
import uuid
from dataclasses import dataclass
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import Connection, text

from app.errors import ConversationNotFound, GenerationError, InvalidParam, LastConversationNotFound
from app.extensions import autocommit_engine, redis_client
from app.providers.models.chat_types import ModelMessage
from app.services.definitions.app_configs import model_of
from app.services.definitions.published_apps import version
from app.services.files.file_values import shown_inputs
from app.services.process.owners import Owner
from app.services.process.providers import model_routes
from app.streams import stop_signals

log = structlog.get_logger(__name__)

NAME_LIMIT = 255
GENERATED_NAME_LIMIT = 75
NAMING_QUERY_LIMIT = 2_000
NAMING_PROMPT = (
    "Write a title of two to six words, in the language of the text, for a conversation that begins with the text below. "
    "Answer with the title alone, without quotation marks.\n\nText: {query}\n\nTitle:"
)

_COLUMNS = "id::text, name, inputs, status, introduction, created_at, updated_at"
_MINE = "app_id = :app_id AND end_user_id = :end_user_id AND deleted_at IS NULL"
_ORDERS = {
    "-updated_at": ("updated_at", "<", "DESC"),
    "updated_at": ("updated_at", ">", "ASC"),
    "-created_at": ("created_at", "<", "DESC"),
    "created_at": ("created_at", ">", "ASC"),
}


@dataclass(frozen=True)
class ConversationItem:
    """One row of the list. Times in Unix seconds."""

    id: str
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True)
class ConversationPage:
    """A page of conversations, and whether there is another behind it."""

    rows: list[ConversationItem]
    has_more: bool


@dataclass(frozen=True)
class ConversationListing:
    """What page is wanted: `last_id` is the last item the client has, `pinned` None for all, `sort_by` a key of the contract."""

    last_id: str | None = None
    limit: int = 20
    pinned: bool | None = None
    sort_by: str = "-updated_at"


def list_page(owner: Owner, listing: ConversationListing) -> ConversationPage:
    """Raises LastConversationNotFound where `last_id` is not in the filtered set."""
    column, beyond, direction = _ORDERS[listing.sort_by]
    wanted = _MINE if listing.pinned is None else f"{_MINE} AND {'pinned' if listing.pinned else 'NOT pinned'}"
    values = owner.values() | {"limit": listing.limit + 1}
    with autocommit_engine().connect() as connection:
        if listing.last_id is not None:
            anchor = _anchor(connection, column, wanted, values | {"last_id": listing.last_id})
            if anchor is None:
                if (
                    listing.pinned
                    and connection.execute(text(f"SELECT 1 FROM conversations WHERE {wanted} LIMIT 1"), values).first()
                    is None
                ):
                    return ConversationPage([], False)
                raise LastConversationNotFound
            wanted += f" AND ({column}, id) {beyond} (:anchor, CAST(:last_id AS uuid))"
            values |= {"anchor": anchor, "last_id": listing.last_id}
        statement = f"SELECT {_COLUMNS} FROM conversations WHERE {wanted} ORDER BY {column} {direction}, id {direction} LIMIT :limit"
        rows = [_conversation(row) for row in connection.execute(text(statement), values)]
    return ConversationPage(rows[: listing.limit], len(rows) > listing.limit)


def rename(owner: Owner, conversation_id: uuid.UUID, name: str) -> ConversationItem:
    """Raises ConversationNotFound, InvalidParam for a name that is too long."""
    if len(name) > NAME_LIMIT:
        raise InvalidParam(f"name must have at most {NAME_LIMIT} characters")
    with autocommit_engine().connect() as connection:
        return _write_name(connection, owner, conversation_id, name.replace("\0", ""), "now()")


def generate_name(owner: Owner, conversation_id: uuid.UUID) -> ConversationItem:
    """Let the app's model name the conversation by its first question; trouble with the model leaves the name.

    Raises ConversationNotFound, InvalidParam (without text) where nothing was asked yet.
    """
    with autocommit_engine().connect() as connection:
        conversation, version_id, query = _first_question(connection, owner, conversation_id)
    try:
        name = _title(version_id, query)
    except GenerationError as error:
        log.warning("conversation.not_named", conversation_id=str(conversation_id), error=error.message)
        return conversation
    if not name:
        return conversation
    with autocommit_engine().connect() as connection:
        return _write_name(connection, owner, conversation_id, name, "updated_at")


def pin(owner: Owner, conversation_id: uuid.UUID, pinned: bool) -> None:
    """Pin or unpin; doing it twice is fine. Raises ConversationNotFound."""
    statement = text(f"UPDATE conversations SET pinned = :pinned WHERE id = :id AND {_MINE} RETURNING id")
    with autocommit_engine().connect() as connection:
        if (
            connection.execute(statement, owner.values() | {"id": conversation_id, "pinned": pinned}).one_or_none()
            is None
        ):
            raise ConversationNotFound


def delete(owner: Owner, conversation_id: uuid.UUID) -> None:
    """Hide a conversation at once and stop its running answers; `purge` removes the rows. Raises ConversationNotFound."""
    statement = text(f"UPDATE conversations SET deleted_at = now() WHERE id = :id AND {_MINE} RETURNING id")
    running = text(
        "SELECT tasks.id::text FROM tasks JOIN messages ON messages.id = message_id"
        " WHERE messages.conversation_id = :id AND tasks.status = 'running'"
    )
    with autocommit_engine().connect() as connection:
        if connection.execute(statement, owner.values() | {"id": conversation_id}).one_or_none() is None:
            raise ConversationNotFound
        task_ids = list(connection.execute(running, {"id": conversation_id}).scalars())
    for task_id in task_ids:
        stop_signals.request_stop(redis_client.client, task_id)


def purge(most: int = 1_000) -> int:
    """Remove the rows of conversations that were deleted; gives how many conversations."""
    statement = text(
        "DELETE FROM conversations WHERE id IN"
        " (SELECT id FROM conversations WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT :most FOR UPDATE SKIP LOCKED)"
    )
    with autocommit_engine().connect() as connection:
        return connection.execute(statement, {"most": most}).rowcount


def _first_question(
    connection: Connection, owner: Owner, conversation_id: uuid.UUID
) -> tuple[ConversationItem, uuid.UUID, str]:
    statement = text(
        f"SELECT {_COLUMNS}, app_version_id, (SELECT query FROM messages WHERE conversation_id = conversations.id"
        f" ORDER BY created_at, id LIMIT 1) FROM conversations WHERE id = :id AND {_MINE}"
    )
    row = connection.execute(statement, owner.values() | {"id": conversation_id}).one_or_none()
    if row is None:
        raise ConversationNotFound
    *fields, version_id, query = row
    if query is None:
        raise InvalidParam("")
    return _conversation(fields), uuid.UUID(str(version_id)), query


def _title(version_id: uuid.UUID, query: str) -> str:
    model = model_of(version(version_id))
    prompt = NAMING_PROMPT.format(query=query[:NAMING_QUERY_LIMIT])
    options = {"max_tokens": 32, "temperature": 0.2}
    chat_model = model_routes().chat_model(model.provider, model.name, model.mode)
    deadline = time.monotonic() + current_app.config["NAMING_SECONDS"]
    answer, _ = chat_model.complete([ModelMessage("user", prompt)], options, deadline=deadline)
    title = answer.replace("\0", "").strip().splitlines()[0].strip(" \"'`*#") if answer.strip() else ""
    return title if len(title) <= GENERATED_NAME_LIMIT else title[: GENERATED_NAME_LIMIT - 3] + "..."


def _anchor(connection: Connection, column: str, wanted: str, values: dict[str, Any]) -> datetime.datetime | None:
    found = connection.execute(text(f"SELECT {column} FROM conversations WHERE id = :last_id AND {wanted}"), values)
    anchor: datetime.datetime | None = found.scalar_one_or_none()
    return anchor


def _write_name(
    connection: Connection, owner: Owner, conversation_id: uuid.UUID, name: str, updated_at: str
) -> ConversationItem:
    statement = text(
        f"UPDATE conversations SET name = :name, updated_at = {updated_at} WHERE id = :id AND {_MINE} RETURNING {_COLUMNS}"
    )
    row = connection.execute(statement, owner.values() | {"id": conversation_id, "name": name}).one_or_none()
    if row is None:
        raise ConversationNotFound
    return _conversation(row)


def _conversation(row: Any) -> ConversationItem:
    identifier, name, inputs, status, introduction, created_at, updated_at = row
    return ConversationItem(
        identifier,
        name,
        shown_inputs(inputs),
        status,
        introduction,
        int(created_at.timestamp()),
        int(updated_at.timestamp()),
    )
