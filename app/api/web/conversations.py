"""/conversations: list, rename, pin and delete conversations."""

import dataclasses
import uuid

from flask import Response
from flask_restx import Resource

from app import tasks
from app.api.auth import Caller, caller_required
from app.api.bodies import no_content, parse_body, parse_query, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.schemas.common import ResultResponse
from app.api.schemas.conversations import (
    ConversationInfiniteScrollPagination,
    ConversationListQuery,
    ConversationRenamePayload,
    SimpleConversation,
)
from app.errors import NotChatAppHere
from app.services.auth import answer_limits
from app.services.definitions import app_modes
from app.services.visitor import conversations

CONVERSATION_REFUSALS = REFUSALS | {404: "Conversation Not Found or Not a Chat App"}


@web_ns.route("/conversations")
class ConversationsResource(Resource):
    @document(
        "List conversations",
        description="The caller's conversations, newest first unless `sort_by` says otherwise. `last_id` is the last "
        "one the client has.",
        query=ConversationListQuery,
        ok=ConversationInfiniteScrollPagination,
        refusals=REFUSALS | {404: "App Not Found or Not a Chat App"},
    )
    @caller_required
    def get(self, caller: Caller) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        query = parse_query(ConversationListQuery)
        page = conversations.list_page(
            caller.owner, conversations.ConversationListing(query.last_id, query.limit, query.pinned, query.sort_by)
        )
        rows = [_conversation(row) for row in page.rows]
        return reply(ConversationInfiniteScrollPagination(limit=query.limit, has_more=page.has_more, data=rows))


@web_ns.route("/conversations/<uuid:c_id>/name")
class ConversationNameResource(Resource):
    @document(
        "Rename a conversation",
        description="Gives the conversation a name, or with `auto_generate` lets the model find one.",
        body=ConversationRenamePayload,
        query_names=ConversationRenamePayload,
        ok=SimpleConversation,
        ok_text="Conversation renamed successfully",
        refusals=CONVERSATION_REFUSALS,
        path={"c_id": "Conversation UUID"},
    )
    @caller_required
    def post(self, caller: Caller, c_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        body = parse_body(ConversationRenamePayload, query=True)
        if body.auto_generate:
            answer_limits.count_request("conversation names", caller.asker)
            return reply(_conversation(conversations.generate_name(caller.owner, c_id)))
        return reply(_conversation(conversations.rename(caller.owner, c_id, body.name or "")))


@web_ns.route("/conversations/<uuid:c_id>")
class ConversationResource(Resource):
    @document(
        "Delete a conversation",
        description="It is gone at once, its messages with it; running answers are stopped.",
        status=204,
        ok_text="Conversation deleted successfully",
        refusals=CONVERSATION_REFUSALS,
        path={"c_id": "Conversation UUID"},
    )
    @caller_required
    def delete(self, caller: Caller, c_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        conversations.delete(caller.owner, c_id)
        tasks.enqueue_purge()
        return no_content()


@web_ns.route("/conversations/<uuid:c_id>/pin")
class ConversationPinResource(Resource):
    @document(
        "Pin a conversation",
        description="Keeps it in the list of pinned ones; pinning twice is fine.",
        ok=ResultResponse,
        ok_text="Conversation pinned successfully",
        refusals=CONVERSATION_REFUSALS,
        path={"c_id": "Conversation UUID"},
    )
    @caller_required
    def patch(self, caller: Caller, c_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        conversations.pin(caller.owner, c_id, True)
        return reply(ResultResponse())


@web_ns.route("/conversations/<uuid:c_id>/unpin")
class ConversationUnpinResource(Resource):
    @document(
        "Unpin a conversation",
        description="Takes it out of the list of pinned ones.",
        ok=ResultResponse,
        ok_text="Conversation unpinned successfully",
        refusals=CONVERSATION_REFUSALS,
        path={"c_id": "Conversation UUID"},
    )
    @caller_required
    def patch(self, caller: Caller, c_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        conversations.pin(caller.owner, c_id, False)
        return reply(ResultResponse())


def _conversation(row: conversations.ConversationItem) -> SimpleConversation:
    return SimpleConversation.model_construct(**dataclasses.asdict(row))
