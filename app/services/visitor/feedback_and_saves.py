"""Rate and save messages (contract endpoints.md, /messages/{id}/feedbacks and /saved-messages)."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.errors import InvalidParam, MessageNotFound
from app.models.messages import (
    SavedRow,
    find_saved_time,
    list_saved_messages,
    remove_rating,
    save_message,
    store_rating,
    unsave_message,
)
from app.models.owners import Owner
from app.services.files.file_links import renewed
from app.services.files.file_values import shown_inputs

NO_FEEDBACK = "rating cannot be None when feedback not exists"


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
    """Set a rating, or take it back (None).

    Raises MessageNotFound, InvalidParam where there is no rating to take back or `content` is too long.
    """
    longest = current_app.config["INPUT_CHARACTERS"]
    if longest and content is not None and len(content) > longest:
        raise InvalidParam(f"content must be at most {longest} characters")
    if rating is not None:
        if not store_rating(owner, message_id, rating, content and content.replace("\0", "")):
            raise MessageNotFound
        return
    former = remove_rating(owner, message_id)
    if former is None:
        raise MessageNotFound
    if former.rating is None:
        raise InvalidParam(NO_FEEDBACK)


def save(owner: Owner, message_id: str) -> None:
    """Save a message; a second call changes nothing. Raises MessageNotFound."""
    if not save_message(owner, message_id):
        raise MessageNotFound


def unsave(owner: Owner, message_id: uuid.UUID) -> None:
    """Take a message out of the saved ones, where it is among them."""
    unsave_message(owner, message_id)


def list_saved(owner: Owner, last_id: str | None, limit: int) -> tuple[list[SavedMessageRow], bool]:
    """Return the saved messages behind `last_id`, the newest message first, and whether there are more.

    A page ends early where its messages have more than HISTORY_PAGE_BYTES together.
    Raises InvalidParam with an empty message for a `last_id` that is not among them.
    """
    after = None
    if last_id is not None:
        moment = find_saved_time(owner, last_id)
        if moment is None:
            raise InvalidParam("")
        after = moment, last_id
    rows = list_saved_messages(owner, after, limit + 1, current_app.config["HISTORY_PAGE_BYTES"])[:limit]
    answers = renewed(owner, [row.answer for row in rows])
    return [_saved(row, answer) for row, answer in zip(rows, answers, strict=True)], bool(rows) and rows[-1].behind > 0


def _saved(row: SavedRow, answer: str) -> SavedMessageRow:
    return SavedMessageRow(
        id=row.id,
        inputs=shown_inputs(row.inputs),
        files=row.files or [],
        query=row.query,
        answer=answer,
        rating=row.rating,
        created_at=int(row.created_at.timestamp()),
    )
