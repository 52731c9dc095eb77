"""Messages as operators see them: those of a conversation, those that were rated, and all of them in their order."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from app.models.execution import fetch_all
from app.models.reports.scopes import PagePlace, ReportScope, narrowed, page_values


@dataclass(frozen=True)
class MessageRow:
    """One message, where it belongs, and how its task stands. `latency` in seconds, `details`: the whole metadata.

    `task_status`, `last_event` and `run_id` are None where there is no task, no run.
    """

    id: str
    conversation_id: str
    conversation: str
    app: str
    mode: str
    end_user_id: str
    end_user: str
    account: str
    created_at: datetime.datetime
    query: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]] | None
    answer: str
    status: str
    error: str | None
    details: dict[str, Any] | None
    rating: str | None
    rating_content: str | None
    saved: bool
    prompt_tokens: int
    answer_tokens: int
    latency: float
    task_id: str
    task_status: str | None
    last_event: int | None
    run_id: str | None
    app_version_id: str


@dataclass(frozen=True)
class FeedbackReport:
    """A message that was rated: `rating` like or dislike, `content` what the end user wrote with it."""

    message_id: str
    conversation_id: str
    app: str
    mode: str
    end_user: str
    account: str
    created_at: datetime.datetime
    rating: str
    content: str | None
    query: str
    answer: str


_ACCOUNT = "CASE WHEN end_user.kind = 'account' THEN end_user.session_id ELSE '' END AS account"
# A page ends before the message that would make it larger than :most_bytes; the first message always comes. Sizes are
# read from the values' heads: nothing is decompressed.
_MESSAGES = f"""
SELECT page.id::text, page.conversation_id::text, conversation.name AS conversation, app.code AS app, conversation.mode,
    end_user.id::text AS end_user_id, end_user.session_id AS end_user, {_ACCOUNT}, page.created_at, page.query,
    page.inputs, page.files, page.answer, page.status, page.error, page.metadata AS details, page.rating,
    page.rating_content, page.saved, page.prompt_tokens, page.answer_tokens, page.latency, page.task_id::text,
    task.status AS task_status, task.last_event, task.workflow_run_id::text AS run_id,
    conversation.app_version_id::text
FROM (
    SELECT *, sum(bytes) OVER in_order AS page_bytes, row_number() OVER in_order AS position FROM (
        SELECT message.*, octet_length(query) + octet_length(answer) + pg_column_size(inputs)
            + coalesce(pg_column_size(metadata), 0) + coalesce(pg_column_size(files), 0) AS bytes
        FROM messages message WHERE {{where}} ORDER BY message.created_at, message.id LIMIT :most
    ) found WINDOW in_order AS (ORDER BY created_at, id)
) page
JOIN conversations conversation ON conversation.id = page.conversation_id JOIN apps app ON app.id = page.app_id
JOIN end_users end_user ON end_user.id = page.end_user_id LEFT JOIN tasks task ON task.message_id = page.id
WHERE position = 1 OR page_bytes <= :most_bytes ORDER BY position
"""
_OF_CONVERSATION = text(_MESSAGES.replace("{where}", "message.conversation_id = :conversation_id"))
_OF_CONVERSATION_BEHIND = text(
    _MESSAGES.replace(
        "{where}",
        "message.conversation_id = :conversation_id"
        " AND (message.created_at, message.id) > (:place_moment, CAST(:place_id AS uuid))",
    )
)
# Hashed once for each page: few conversations wait for their purge.
_ALL_MESSAGES = _MESSAGES.replace(
    "{where}",
    "message.conversation_id NOT IN (SELECT id FROM conversations WHERE deleted_at IS NOT NULL) AND {where}",
)

_RATED_MESSAGES = _ALL_MESSAGES.replace("{where}", "message.rating IS NOT NULL AND {where}")

_CONDITIONS = {
    "app_id": "message.app_id = :app_id",
    "end_user_ids": "message.conversation_id IN (SELECT id FROM conversations WHERE end_user_id = ANY(:end_user_ids))",
    "since": "message.created_at >= :since",
    "until": "message.created_at < :until",
    "rating": "message.rating = :rating",
    "status": "message.status = :status",
    "mode": "message.conversation_id IN (SELECT id FROM conversations WHERE mode = :mode)",
    "words": "(message.query ILIKE :words OR message.answer ILIKE :words)",
    "place": "(message.created_at, message.id) > (:place_moment, :place_id)",
}

_FEEDBACK = f"""
SELECT message.id::text AS message_id, conversation.id::text AS conversation_id, app.code AS app, conversation.mode,
    end_user.session_id AS end_user, {_ACCOUNT}, message.created_at, message.rating, message.rating_content AS content,
    message.query, message.answer
FROM messages message JOIN conversations conversation ON conversation.id = message.conversation_id
JOIN apps app ON app.id = message.app_id JOIN end_users end_user ON end_user.id = message.end_user_id
WHERE message.rating IS NOT NULL AND conversation.deleted_at IS NULL AND {{where}}
ORDER BY message.created_at DESC, message.id DESC LIMIT :most
"""
_FEEDBACK_CONDITIONS = _CONDITIONS | {
    "words": "(message.query ILIKE :words OR message.answer ILIKE :words OR message.rating_content ILIKE :words)",
    "place": "(message.created_at, message.id) < (:place_moment, :place_id)",
}


def list_messages_of_conversation(
    conversation_id: uuid.UUID, place: PagePlace | None, most: int, most_bytes: int
) -> list[MessageRow]:
    """Return messages of a conversation, the oldest first: at most `most` behind `place`, and of `most_bytes`."""
    values = {"conversation_id": conversation_id, "most": most, "most_bytes": most_bytes}
    if place is None:
        return fetch_all(_OF_CONVERSATION, values, MessageRow)
    values |= {"place_moment": place.moment, "place_id": place.id}
    return fetch_all(_OF_CONVERSATION_BEHIND, values, MessageRow)


def list_message_rows(
    scope: ReportScope, place: PagePlace | None, most: int, most_bytes: int, *, rated: bool = False
) -> list[MessageRow]:
    """Return messages of the scope, the oldest first: at most `most` behind `place`, and of `most_bytes`, at least one.

    None of a deleted conversation. `rated`: only those that were rated.
    """
    statement = narrowed(_RATED_MESSAGES if rated else _ALL_MESSAGES, scope, _CONDITIONS, place)
    return fetch_all(statement, page_values(scope, place, most) | {"most_bytes": most_bytes}, MessageRow)


def list_feedback_reports(
    connection: Connection, scope: ReportScope, place: PagePlace | None, most: int
) -> list[FeedbackReport]:
    """Return rated messages of the scope, the newest first, at most `most` behind `place`. Times are the messages'."""
    statement = narrowed(_FEEDBACK, scope, _FEEDBACK_CONDITIONS, place)
    return fetch_all(statement, page_values(scope, place, most), FeedbackReport, connection)
