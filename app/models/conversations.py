"""Conversations: threads of messages between one end user and one app."""

import datetime
import uuid
from typing import Any, NamedTuple

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_all, fetch_one, fetch_value
from app.models.identifiers import new_id, now
from app.models.owners import Owner, owned

LISTED = "deleted_at IS NULL"


class Conversation(Base):
    """A thread of messages between one end user and one app, held to the app version it began with."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("conversations_by_update", "end_user_id", "updated_at", "id"),
        Index("conversations_by_creation", "end_user_id", "created_at", "id", postgresql_where=text(LISTED)),
        Index("conversations_pinned", "end_user_id", "updated_at", "id", postgresql_where=text(f"{LISTED} AND pinned")),
        Index("conversations_by_activity", "updated_at", "id"),
        Index("conversations_by_version", "app_version_id"),
        Index("conversations_by_app", "app_id", "updated_at", "id"),
        Index("conversations_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("end_users.id", ondelete="CASCADE"))
    app_version_id: Mapped[uuid.UUID]
    mode: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16), server_default="normal", default="normal")
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    introduction: Mapped[str | None] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class ConversationRow(NamedTuple):
    """A conversation as lists show it."""

    id: str
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime


class BegunConversation(NamedTuple):
    """A conversation and what it began with. `query`: the first question, None where nothing was asked yet."""

    id: str
    name: str
    inputs: dict[str, Any]
    status: str
    introduction: str | None
    created_at: datetime.datetime
    updated_at: datetime.datetime
    app_version_id: str
    query: str | None


# By the contract's name of an order: the column, how rows beyond the last one compare to it, the direction.
ORDERS = {
    "-updated_at": ("updated_at", "<", "DESC"),
    "updated_at": ("updated_at", ">", "ASC"),
    "-created_at": ("created_at", "<", "DESC"),
    "created_at": ("created_at", ">", "ASC"),
}
_COLUMNS = "id::text, name, inputs, status, introduction, created_at, updated_at"
_OWN = f"{owned('conversations')} AND {LISTED}"
_PINNED = {None: "", True: " AND pinned", False: " AND NOT pinned"}


class _ListStatements(NamedTuple):
    """The statements of one list: where one of its rows stands, its first rows, and the rows beyond one."""

    anchor: TextClause
    first: TextClause
    beyond: TextClause


def _list_statements(sort_by: str, pinned: bool | None) -> _ListStatements:
    column, beyond, direction = ORDERS[sort_by]
    wanted = _OWN + _PINNED[pinned]
    rows = f"SELECT {_COLUMNS} FROM conversations WHERE {wanted}"
    order = f"ORDER BY {column} {direction}, id {direction} LIMIT :limit"
    return _ListStatements(
        text(f"SELECT {column} FROM conversations WHERE id = :last_id AND {wanted}"),
        text(f"{rows} {order}"),
        text(f"{rows} AND ({column}, id) {beyond} (:anchor, CAST(:last_id AS uuid)) {order}"),
    )


# By order and pinned mark, made once: a statement's text that never changes is prepared once by SQLAlchemy.
_LISTS = {(sort_by, pinned): _list_statements(sort_by, pinned) for sort_by in ORDERS for pinned in _PINNED}

_HAS_PINNED = text(f"SELECT 1 FROM conversations WHERE {_OWN} AND pinned LIMIT 1")
_IS_VISIBLE = text(f"SELECT 1 FROM conversations WHERE id = :id AND {_OWN}")
_FIND_VERSION = text(f"SELECT app_version_id::text FROM conversations WHERE id = :id AND {_OWN}")
_FIND_BEGUN = text(
    f"""
SELECT {_COLUMNS}, app_version_id::text,
    (SELECT query FROM messages WHERE conversation_id = conversations.id ORDER BY created_at, id LIMIT 1) AS query
FROM conversations WHERE id = :id AND {_OWN}
"""
)

# The first message of a conversation, answered.
_FIND_BEGUN_OF = text(
    f"""
SELECT {_COLUMNS}, app_version_id::text, (
    SELECT messages.query FROM messages JOIN tasks ON tasks.message_id = messages.id
    WHERE tasks.id = :task_id AND tasks.status = 'succeeded' AND messages.id = (
        SELECT id FROM messages WHERE conversation_id = conversations.id ORDER BY created_at, id LIMIT 1
    )
) AS query
FROM conversations
WHERE id = (SELECT conversation_id FROM tasks WHERE id = :task_id) AND deleted_at IS NULL
"""
)

_REPLACE_NAME = text(
    "UPDATE conversations SET name = :name, updated_at = now()"
    " WHERE id = :id AND name = :old_name AND deleted_at IS NULL"
)

_RENAME = text(
    f"UPDATE conversations SET name = :name, updated_at = now() WHERE id = :id AND {_OWN} RETURNING {_COLUMNS}"
)

_PIN = text(f"UPDATE conversations SET pinned = :pinned WHERE id = :id AND {_OWN} RETURNING id")
_HIDE = text(f"UPDATE conversations SET deleted_at = now() WHERE id = :id AND {_OWN} RETURNING id")


def find_list_anchor(owner: Owner, conversation_id: str, sort_by: str, pinned: bool | None) -> datetime.datetime | None:
    """Return where a conversation stands in a list of the owner's; None where the list does not have it.

    `sort_by` is a key of `ORDERS`; `pinned` None lists all.
    """
    statement = _LISTS[sort_by, pinned].anchor
    moment: datetime.datetime | None = fetch_value(statement, owner.values() | {"last_id": conversation_id})
    return moment


def list_conversations(
    owner: Owner, sort_by: str, pinned: bool | None, after: tuple[datetime.datetime, str] | None, most: int
) -> list[ConversationRow]:
    """Return a part of a list of the owner's: its first rows, or those beyond `after`.

    `sort_by` is a key of `ORDERS`; `pinned` None lists all; `after` is anchor and id of the last row that is known.
    """
    statements, values = _LISTS[sort_by, pinned], owner.values() | {"limit": most}
    if after is None:
        return fetch_all(statements.first, values, ConversationRow)
    return fetch_all(statements.beyond, values | {"anchor": after[0], "last_id": after[1]}, ConversationRow)


def has_pinned_conversation(owner: Owner) -> bool:
    """Return whether the owner has a pinned conversation."""
    return fetch_value(_HAS_PINNED, owner.values()) is not None


def is_visible_conversation(owner: Owner, conversation_id: uuid.UUID) -> bool:
    """Return whether a conversation is the owner's and not deleted."""
    return fetch_value(_IS_VISIBLE, owner.values() | {"id": conversation_id}) is not None


def find_version_id(owner: Owner, conversation_id: str) -> uuid.UUID | None:
    """Return the id of the app version that a conversation of the owner is held to."""
    found: str | None = fetch_value(_FIND_VERSION, owner.values() | {"id": conversation_id})
    return None if found is None else uuid.UUID(found)


def find_begun_conversation(owner: Owner, conversation_id: uuid.UUID) -> BegunConversation | None:
    """Return a conversation of the owner and its first question."""
    return fetch_one(_FIND_BEGUN, owner.values() | {"id": conversation_id}, BegunConversation)


def find_begun_conversation_of(task_id: str) -> BegunConversation | None:
    """Return the conversation of a task, `query` None unless the task has answered its first question."""
    return fetch_one(_FIND_BEGUN_OF, {"task_id": task_id}, BegunConversation)


def replace_conversation_name(conversation_id: str, old_name: str, name: str) -> bool:
    """Name a conversation that has a given name; False where it has another by now."""
    return execute(_REPLACE_NAME, {"id": conversation_id, "old_name": old_name, "name": name}) > 0


def rename_conversation(owner: Owner, conversation_id: uuid.UUID, name: str) -> ConversationRow | None:
    """Name a conversation of the owner, which counts as updated now, and return it."""
    return fetch_one(_RENAME, owner.values() | {"id": conversation_id, "name": name}, ConversationRow)


def pin_conversation(owner: Owner, conversation_id: uuid.UUID, pinned: bool) -> bool:
    """Pin or unpin a conversation of the owner; False where there is none."""
    return fetch_value(_PIN, owner.values() | {"id": conversation_id, "pinned": pinned}) is not None


def hide_conversation(owner: Owner, conversation_id: uuid.UUID) -> bool:
    """Mark a conversation of the owner as deleted, for `app/models/keeping/purges.py`; False where there is none."""
    return fetch_value(_HIDE, owner.values() | {"id": conversation_id}) is not None
