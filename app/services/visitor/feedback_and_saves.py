"""What an end user marks on messages: a rating, a place among the saved ones."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.errors import InvalidParam, MessageNotFound
from app.extensions import autocommit_engine
from app.services.files.file_links import renew
from app.services.files.file_values import shown_inputs
from app.services.process.owners import Owner

NO_FEEDBACK = "rating cannot be None when feedback not exists"

_MINE = "messages.app_id = :app_id AND messages.end_user_id = :end_user_id"
_VISIBLE = (
    f"{_MINE} AND EXISTS (SELECT 1 FROM conversations WHERE conversations.id = conversation_id AND deleted_at IS NULL)"
)
_RATE = text(
    f"UPDATE messages SET rating = :rating, rating_content = :content WHERE id = :id AND {_VISIBLE} RETURNING id"
)
_UNRATE = text(
    f"WITH former AS (SELECT id, rating FROM messages WHERE id = :id AND {_VISIBLE} FOR UPDATE)"
    " UPDATE messages SET rating = NULL, rating_content = NULL FROM former WHERE messages.id = former.id RETURNING former.rating"
)
_SAVE = text(f"UPDATE messages SET saved = true WHERE id = :id AND {_VISIBLE} RETURNING id")
_UNSAVE = text(f"UPDATE messages SET saved = false WHERE id = :id AND {_MINE}")
_ANCHOR = text(f"SELECT created_at FROM messages WHERE id = :last_id AND saved AND {_VISIBLE}")
_SAVED = """
SELECT id::text AS id, inputs, files, query, answer, rating, created_at FROM messages
WHERE saved AND {visible} {beyond} ORDER BY created_at DESC, id DESC LIMIT :limit
"""


@dataclass(frozen=True)
class SavedMessageRow:
    """A saved message. `created_at` in Unix seconds."""

    id: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]]
    query: str
    answer: str
    rating: str | None
    created_at: int


def rate(owner: Owner, message_id: uuid.UUID, rating: str | None, content: str | None) -> None:
    """Set or (None) take back a rating. Raises MessageNotFound, InvalidParam where there is none to take back."""
    values = owner.values() | {"id": message_id, "rating": rating, "content": content and content.replace("\0", "")}
    with autocommit_engine().connect() as connection:
        found = connection.execute(_UNRATE if rating is None else _RATE, values).one_or_none()
    if found is None:
        raise MessageNotFound
    if rating is None and found.rating is None:
        raise InvalidParam(NO_FEEDBACK)


def save(owner: Owner, message_id: str) -> None:
    """Raises MessageNotFound."""
    with autocommit_engine().connect() as connection:
        if connection.execute(_SAVE, owner.values() | {"id": message_id}).one_or_none() is None:
            raise MessageNotFound


def unsave(owner: Owner, message_id: uuid.UUID) -> None:
    """Does nothing where there is nothing to do."""
    with autocommit_engine().connect() as connection:
        connection.execute(_UNSAVE, owner.values() | {"id": message_id})


def list_saved(owner: Owner, last_id: str | None, limit: int) -> tuple[list[SavedMessageRow], bool]:
    """Saved messages, the newest message first, and whether there are more. Raises InvalidParam (without text) for an unknown `last_id`."""
    values: dict[str, Any] = owner.values() | {"limit": limit + 1}
    beyond = ""
    with autocommit_engine().connect() as connection:
        if last_id is not None:
            values["last_id"] = last_id
            anchor: datetime.datetime | None = connection.execute(_ANCHOR, values).scalar_one_or_none()
            if anchor is None:
                raise InvalidParam("")
            values["anchor"] = anchor
            beyond = "AND (created_at, id) < (:anchor, CAST(:last_id AS uuid))"
        rows = connection.execute(text(_SAVED.format(visible=_VISIBLE, beyond=beyond)), values).all()
    return [_saved(row) for row in rows[:limit]], len(rows) > limit


def _saved(row: Any) -> SavedMessageRow:
    created_at = int(row.created_at.timestamp())
    return SavedMessageRow(
        row.id, shown_inputs(row.inputs), row.files or [], row.query, renew(row.answer), row.rating, created_at
    )
