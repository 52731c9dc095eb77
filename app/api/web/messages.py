"""Messages: the history of a conversation."""

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_query, reply
from app.api.document import REFUSALS, document
from app.api.namespaces import web_ns
from app.api.schemas.messages import MessageListQuery, WebMessageInfiniteScrollPagination, WebMessageListItem
from app.errors import NotChatAppHere
from app.services import messages, modes


@web_ns.route("/messages")
class Messages(Resource):
    @document(
        "List messages",
        description="A page of a conversation's messages, oldest first; `first_id` is the oldest one the client has.",
        query=MessageListQuery,
        ok=WebMessageInfiniteScrollPagination,
        refusals=REFUSALS | {404: "Conversation Not Found or Not a Chat App"},
    )
    @caller_required
    def get(self, caller: Caller) -> Response:
        modes.require_chat_family(caller.app, NotChatAppHere)
        query = parse_query(MessageListQuery)
        page = messages.list_page(caller.owner, query.conversation_id, query.first_id, query.limit)
        rows = [_message(row) for row in page.rows]
        return reply(WebMessageInfiniteScrollPagination(limit=query.limit, has_more=page.has_more, data=rows))


def _message(row: messages.Message) -> WebMessageListItem:
    return WebMessageListItem.model_construct(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_message_id=row.parent_message_id,
        inputs=row.inputs,
        query=row.query,
        answer=row.answer,
        message_files=[],
        feedback=None,
        retriever_resources=(row.details or {}).get("retriever_resources", []),
        created_at=row.created_at,
        agent_thoughts=[],
        status=row.status,
        error=row.error,
        extra_contents=[],
        metadata=row.details,
    )
