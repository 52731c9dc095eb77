"""Conversations, one with its messages, feedback, and exports of answers and feedback."""

import uuid

from flask import Blueprint, Response
from pydantic import Field

from app.api.bodies import parse_query
from app.api.operator.answers import ConversationQuery, ExportQuery, PageQuery, answer, answer_page, export
from app.services.reports import conversation_reports, exports
from app.services.reports.exports import ExportedAnswer, ExportedFeedback

MOST_MESSAGES = 100


class MessagesQuery(PageQuery):
    """A page of a conversation's messages. `runs`: with the workflow runs of a chatflow's."""

    limit: int = Field(20, ge=1, le=MOST_MESSAGES)
    runs: bool = False


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/conversations", "conversations", _list)
    blueprint.add_url_rule("/conversations/<uuid:conversation_id>", "conversation", _show)
    blueprint.add_url_rule("/conversations/export", "export_answers", _export)
    blueprint.add_url_rule("/feedback", "feedback", _list_feedback)
    blueprint.add_url_rule("/feedback/export", "export_feedback", _export_feedback)


def _list() -> Response:
    query = parse_query(ConversationQuery)
    return answer_page(conversation_reports.list_conversations(query.filter, query.following, query.limit), query.limit)


def _show(conversation_id: uuid.UUID) -> Response:
    query = parse_query(MessagesQuery)
    found = conversation_reports.show_conversation(str(conversation_id), query.following, query.limit, query.runs)
    messages = {"data": list(found.messages.rows), "limit": query.limit, "following": found.messages.following}
    return answer({"conversation": found.summary, "messages": messages})


def _export() -> Response:
    query = parse_query(ExportQuery)
    return export(exports.export_answers(query.filter, query.nodes), ExportedAnswer, query.format, "answers")


def _export_feedback() -> Response:
    query = parse_query(ExportQuery)
    return export(exports.export_feedback(query.filter), ExportedFeedback, query.format, "feedback")


def _list_feedback() -> Response:
    query = parse_query(ConversationQuery)
    return answer_page(conversation_reports.list_feedback(query.filter, query.following, query.limit), query.limit)
