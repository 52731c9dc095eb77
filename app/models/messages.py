"""Messages: a question of an end user and its answer, with what the end user marked on it."""

import datetime
import uuid
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_all, fetch_one, fetch_value
from app.models.identifiers import new_id, now
from app.models.owners import Owner, owned


class Message(Base):
    """A question and its answer. The answer is filled in when its task ends; until then the event log has it.

    `parent_message_id` is what the client sent and gets back; `previous_message_id` is the message whose thread this
    one continues: the same, or the conversation's latest where the client did not say. A message has one asker, so
    rating and saved mark are columns of it. `files` are file objects with `belongs_to`, in their order.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_creation", "conversation_id", "created_at", "id"),
        Index("messages_saved", "end_user_id", "created_at", "id", postgresql_where=text("saved")),
        Index("messages_by_time", "created_at", "id"),
        Index("messages_by_app", "app_id", "created_at", "id"),
        Index("messages_rated", "created_at", "id", postgresql_where=text("rating IS NOT NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    parent_message_id: Mapped[uuid.UUID | None]
    previous_message_id: Mapped[uuid.UUID | None]
    task_id: Mapped[uuid.UUID]
    query: Mapped[str] = mapped_column(Text)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    files: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    answer: Mapped[str] = mapped_column(Text, server_default="", default="")
    status: Mapped[str] = mapped_column(String(16), server_default="normal", default="normal")
    error: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSONB)
    rating: Mapped[str | None] = mapped_column(String(16))
    rating_content: Mapped[str | None] = mapped_column(Text)
    saved: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)
    prompt_tokens: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    answer_tokens: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    latency: Mapped[float] = mapped_column(Float, server_default=text("0"), default=0.0)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class HistoryRow(NamedTuple):
    """A message as the history of its conversation shows it, and its task. `details`: the full metadata.

    `behind`: how many messages of the same statement come after this one, those that the byte budget left out too.
    """

    id: str
    parent_message_id: str | None
    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None
    query: str
    answer: str
    status: str
    error: str | None
    details: dict[str, Any] | None
    rating: str | None
    created_at: datetime.datetime
    task_id: str | None
    task_status: str | None
    last_event: int | None
    workflow_run_id: str | None
    behind: int


class SavedRow(NamedTuple):
    """A saved message. `behind`: as in HistoryRow."""

    id: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None
    query: str
    answer: str
    rating: str | None
    created_at: datetime.datetime
    behind: int


class QuestionRow(NamedTuple):
    """What a message asked."""

    query: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None


class MessageOrigin(NamedTuple):
    """Where a message is, the app version that its conversation is held to, and whether it failed."""

    conversation_id: str
    app_version_id: str
    failed: bool


class FormerRating(NamedTuple):
    """The rating that a message had."""

    rating: str | None


class Turn(NamedTuple):
    """A question and its answer."""

    query: str
    answer: str


_VISIBLE = (
    f"{owned('messages')} AND EXISTS"
    " (SELECT 1 FROM conversations WHERE conversations.id = conversation_id AND deleted_at IS NULL)"
)

_FIND = (
    "SELECT {columns} FROM messages JOIN conversations ON conversations.id = conversation_id"
    " WHERE messages.id = :id AND {owned} AND deleted_at IS NULL"
)
_FIND_QUESTION = text(_FIND.format(columns="query, messages.inputs, messages.files", owned=owned("messages")))
_FIND_ANSWER = text(_FIND.format(columns="answer", owned=owned("messages")))
_FIND_ORIGIN = text(
    _FIND.format(
        columns="conversation_id::text, app_version_id::text, messages.status = 'error' AS failed",
        owned=owned("messages"),
    )
)

# Sizes are read from the values' heads: nothing is decompressed, and JSON counts as it is stored.
_BYTES = "octet_length(query) + octet_length(answer) + pg_column_size(inputs)"
_THOUGHT_BYTES = """
    + coalesce((
        SELECT sum(octet_length(thought) + octet_length(said) + pg_column_size(calls)) FROM agent_thoughts
        WHERE message_id = messages.id
    ), 0)"""
# A page ends before the message that would make it larger than :most_bytes; the first message always comes.
_PAGE = """
FROM (
    SELECT *, sum(bytes) OVER newest_first AS page_bytes, row_number() OVER newest_first AS place,
        count(*) OVER () - row_number() OVER newest_first AS behind
    FROM ({rows}) found WINDOW newest_first AS (ORDER BY created_at DESC, id DESC)
) page {tasks} WHERE place = 1 OR page_bytes <= :most_bytes ORDER BY place
"""
_HISTORY = """
SELECT page.id::text, parent_message_id::text, inputs, files, query, answer, page.status, error,
    metadata AS details, rating, page.created_at, tasks.id::text AS task_id, tasks.status AS task_status,
    tasks.last_event, tasks.workflow_run_id::text, behind
""" + _PAGE.format(
    rows=f"""
    SELECT messages.*, {_BYTES} + coalesce(pg_column_size(metadata), 0) {{thoughts}} AS bytes FROM messages
    WHERE messages.conversation_id = :conversation_id {{older}}
    ORDER BY messages.created_at DESC, messages.id DESC LIMIT :limit""",
    tasks="LEFT JOIN tasks ON tasks.message_id = page.id",
)
_BEFORE = """AND (messages.created_at, messages.id) < (
        SELECT first.created_at, first.id FROM messages first
        WHERE first.id = :first_id AND first.conversation_id = :conversation_id
    )"""
# By whether the page begins at the newest message, and whether it shows thoughts.
_HISTORIES = {
    (newest, with_thoughts): text(
        _HISTORY.format(older="" if newest else _BEFORE, thoughts=_THOUGHT_BYTES if with_thoughts else "")
    )
    for newest in (True, False)
    for with_thoughts in (True, False)
}
_IN_CONVERSATION = text("SELECT 1 FROM messages WHERE id = :first_id AND conversation_id = :conversation_id")

_RATE = text(
    f"UPDATE messages SET rating = :rating, rating_content = :content WHERE id = :id AND {_VISIBLE} RETURNING id"
)
# RETURNING gives the new value: the former one is read beforehand, under a lock.
_UNRATE = text(
    f"""
WITH former AS (SELECT id, rating FROM messages WHERE id = :id AND {_VISIBLE} FOR UPDATE)
UPDATE messages SET rating = NULL, rating_content = NULL FROM former WHERE messages.id = former.id
RETURNING former.rating
"""
)

_SAVE = text(f"UPDATE messages SET saved = true WHERE id = :id AND {_VISIBLE} RETURNING id")
_UNSAVE = text(f"UPDATE messages SET saved = false WHERE id = :id AND {owned('messages')}")
_SAVED_SINCE = text(f"SELECT created_at FROM messages WHERE id = :last_id AND saved AND {_VISIBLE}")
_SAVED = "SELECT id::text AS id, inputs, files, query, answer, rating, created_at, behind" + _PAGE.format(
    rows=f"""
    SELECT messages.*, {_BYTES} AS bytes FROM messages
    WHERE saved AND {_VISIBLE} {{beyond}} ORDER BY created_at DESC, id DESC LIMIT :limit""",
    tasks="",
)
_FIRST_SAVED = text(_SAVED.format(beyond=""))
_MORE_SAVED = text(_SAVED.format(beyond="AND (created_at, id) < (:anchor, CAST(:last_id AS uuid))"))

# A message and those that it stands on, newest first; it ends where one is missing.
_THREAD = text(
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

# Goes back until a message has files of the end user: that one is the last row.
_THREAD_FILES = text(
    """
WITH RECURSIVE thread AS (
    SELECT previous_message_id, files, 1 AS depth FROM messages
    WHERE id = :message_id AND conversation_id = :conversation_id
    UNION ALL
    SELECT earlier.previous_message_id, earlier.files, depth + 1
    FROM thread JOIN messages earlier ON earlier.id = thread.previous_message_id
    WHERE earlier.conversation_id = :conversation_id AND depth < :most
        AND NOT coalesce(thread.files @> '[{"belongs_to": "user"}]', false)
)
SELECT files FROM thread WHERE files @> '[{"belongs_to": "user"}]'
"""
)


def find_question(owner: Owner, message_id: uuid.UUID) -> QuestionRow | None:
    """Return what a message of the owner asked; None where its conversation is deleted."""
    return fetch_one(_FIND_QUESTION, owner.values() | {"id": message_id}, QuestionRow)


def find_answer(owner: Owner, message_id: str) -> str | None:
    """Return the stored answer of a message of the owner; None where its conversation is deleted."""
    answer: str | None = fetch_value(_FIND_ANSWER, owner.values() | {"id": message_id})
    return answer


def find_message_origin(owner: Owner, message_id: uuid.UUID) -> MessageOrigin | None:
    """Return where a message of the owner is; None where its conversation is deleted."""
    return fetch_one(_FIND_ORIGIN, owner.values() | {"id": message_id}, MessageOrigin)


def list_messages(
    conversation_id: uuid.UUID, before_id: str | None, most: int, most_bytes: int, with_thoughts: bool
) -> list[HistoryRow]:
    """Return the newest messages of a conversation, or the newest before one of them, newest first.

    At most `most` of them, and as many as have `most_bytes` together, but at least one. `with_thoughts`: the bytes of
    what an agent thought and did count too.
    """
    values = {"conversation_id": conversation_id, "first_id": before_id, "limit": most, "most_bytes": most_bytes}
    return fetch_all(_HISTORIES[before_id is None, with_thoughts], values, HistoryRow)


def is_in_conversation(conversation_id: uuid.UUID, message_id: str) -> bool:
    """Return whether the conversation has this message."""
    values = {"conversation_id": conversation_id, "first_id": message_id}
    return fetch_value(_IN_CONVERSATION, values) is not None


def store_rating(owner: Owner, message_id: uuid.UUID, rating: str, content: str | None) -> bool:
    """Rate a message; False where it is not the owner's or its conversation is deleted."""
    values = owner.values() | {"id": message_id, "rating": rating, "content": content}
    return fetch_value(_RATE, values) is not None


def remove_rating(owner: Owner, message_id: uuid.UUID) -> FormerRating | None:
    """Take back the rating of a message; None where it is not the owner's or its conversation is deleted."""
    return fetch_one(_UNRATE, owner.values() | {"id": message_id}, FormerRating)


def save_message(owner: Owner, message_id: str) -> bool:
    """Mark a message as saved; False where it is not the owner's or its conversation is deleted."""
    return fetch_value(_SAVE, owner.values() | {"id": message_id}) is not None


def unsave_message(owner: Owner, message_id: uuid.UUID) -> None:
    """Take back the mark `saved`, if the message is the owner's."""
    execute(_UNSAVE, owner.values() | {"id": message_id})


def find_saved_time(owner: Owner, message_id: str) -> datetime.datetime | None:
    """Return when a saved message of the owner was made: where a page of them begins."""
    moment: datetime.datetime | None = fetch_value(_SAVED_SINCE, owner.values() | {"last_id": message_id})
    return moment


def list_saved_messages(
    owner: Owner, after: tuple[datetime.datetime, str] | None, most: int, most_bytes: int
) -> list[SavedRow]:
    """Return the owner's saved messages, the newest first. `after`: time and id of the last one that the client has.

    At most `most` of them, and as many as have `most_bytes` together, but at least one.
    """
    values = owner.values() | {"limit": most, "most_bytes": most_bytes}
    if after is None:
        return fetch_all(_FIRST_SAVED, values, SavedRow)
    return fetch_all(_MORE_SAVED, values | {"anchor": after[0], "last_id": after[1]}, SavedRow)


def read_thread(conversation_id: str, message_id: str, most: int) -> list[Turn]:
    """Return this message and the `most` - 1 before it in its thread, oldest first."""
    values = {"conversation_id": conversation_id, "message_id": message_id, "most": most}
    return fetch_all(_THREAD, values, Turn)[::-1]


def read_thread_files(conversation_id: str, message_id: str, most: int) -> list[dict[str, Any]]:
    """Return the stored files of this message, or of the first before it in its thread with files of its end user.

    Looks at `most` messages.
    """
    values = {"conversation_id": conversation_id, "message_id": message_id, "most": most}
    files: list[dict[str, Any]] | None = fetch_value(_THREAD_FILES, values)
    return files or []
