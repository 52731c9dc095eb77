"""Conversations as operators see them."""

import datetime
import uuid
from dataclasses import dataclass

from sqlalchemy import Connection, text

from app.models.execution import fetch_all, fetch_one
from app.models.reports.scopes import PagePlace, ReportScope, narrowed, page_values


@dataclass(frozen=True)
class ConversationReport:
    """One conversation. `app` is the app's code, `end_user` the session id, `account` an e-mail address or "".

    `updated_at`: its last activity. `failures`: messages that ended with an error; `likes` and `dislikes`: ratings.
    A completion app's conversations have one message each.
    """

    id: str
    app: str
    mode: str
    name: str
    end_user_id: str
    end_user: str
    account: str
    created_at: datetime.datetime
    updated_at: datetime.datetime
    pinned: bool
    messages: int
    tokens: int
    failures: int
    likes: int
    dislikes: int


# The page first: what is counted is counted for its rows alone.
_REPORT = """
SELECT page.id::text, app.code AS app, page.mode, page.name, end_user.id::text AS end_user_id,
    end_user.session_id AS end_user,
    CASE WHEN end_user.kind = 'account' THEN end_user.session_id ELSE '' END AS account, page.created_at,
    page.updated_at, page.pinned, counted.messages, counted.tokens, counted.failures, counted.likes, counted.dislikes
FROM ({page}) page JOIN apps app ON app.id = page.app_id JOIN end_users end_user ON end_user.id = page.end_user_id
CROSS JOIN LATERAL (
    SELECT count(*)::integer AS messages,
        coalesce(sum(message.prompt_tokens + message.answer_tokens), 0)::bigint AS tokens,
        (count(*) FILTER (WHERE message.status = 'error'))::integer AS failures,
        (count(*) FILTER (WHERE message.rating = 'like'))::integer AS likes,
        (count(*) FILTER (WHERE message.rating = 'dislike'))::integer AS dislikes
    FROM messages message WHERE message.conversation_id = page.id
) counted
"""
_LIST = (
    _REPORT.format(
        page="""
    SELECT * FROM conversations conversation WHERE conversation.deleted_at IS NULL AND {where}
    ORDER BY conversation.updated_at DESC, conversation.id DESC LIMIT :most
"""
    )
    + "ORDER BY page.updated_at DESC, page.id DESC"
)
_FIND = text(_REPORT.format(page="SELECT * FROM conversations WHERE id = :id AND deleted_at IS NULL"))

_HAS_MESSAGE = "EXISTS (SELECT 1 FROM messages message WHERE message.conversation_id = conversation.id AND {})"
_CONDITIONS = {
    "app_id": "conversation.app_id = :app_id",
    "end_user_ids": "conversation.end_user_id = ANY(:end_user_ids)",
    "since": "conversation.updated_at >= :since",
    "until": "conversation.updated_at < :until",
    "mode": "conversation.mode = :mode",
    "rating": _HAS_MESSAGE.format("message.rating = :rating"),
    "status": _HAS_MESSAGE.format("message.status = :status"),
    "words": f"""(conversation.name ILIKE :words OR {
        _HAS_MESSAGE.format("(message.query ILIKE :words OR message.answer ILIKE :words)")
    })""",
    "place": "(conversation.updated_at, conversation.id) < (:place_moment, :place_id)",
}


def list_conversation_reports(
    connection: Connection, scope: ReportScope, place: PagePlace | None, most: int
) -> list[ConversationReport]:
    """Return conversations of the scope that are not deleted, the last active first, at most `most` behind `place`.

    The scope's times are those of the last activity; `rating`, `status` and `words` ask for one message like that.
    """
    statement = narrowed(_LIST, scope, _CONDITIONS, place)
    return fetch_all(statement, page_values(scope, place, most), ConversationReport, connection)


def find_conversation_report(conversation_id: uuid.UUID) -> ConversationReport | None:
    """Return one conversation; None where there is none or it is deleted."""
    return fetch_one(_FIND, {"id": conversation_id}, ConversationReport)
