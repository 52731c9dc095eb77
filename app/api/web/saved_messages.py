"""/saved-messages of completion apps: list, save and remove them."""

import uuid

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import no_content, parse_body, parse_query, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.message_bodies import saved_message_body
from app.api.schemas.common import ResultResponse
from app.api.schemas.messages import (
    SavedMessageCreatePayload,
    SavedMessageInfiniteScrollPagination,
    SavedMessageListQuery,
)
from app.services.definitions import app_modes
from app.services.visitor import feedback_and_saves

SAVED_REFUSALS = REFUSALS | {400: "Bad Request - Not a completion app"}


@web_ns.route("/saved-messages")
class SavedMessagesResource(Resource):
    @document(
        "List saved messages",
        description="The newest message first; `last_id` is the last one the client has.",
        query=SavedMessageListQuery,
        ok=SavedMessageInfiniteScrollPagination,
        refusals=SAVED_REFUSALS,
    )
    @caller_required
    def get(self, caller: Caller) -> Response:
        app_modes.require_completion(caller.app)
        query = parse_query(SavedMessageListQuery)
        rows, has_more = feedback_and_saves.list_saved(caller.owner, query.last_id, query.limit)
        return reply(
            SavedMessageInfiniteScrollPagination(
                limit=query.limit, has_more=has_more, data=[saved_message_body(row) for row in rows]
            )
        )

    @document(
        "Save a message",
        description="Keeps a message of the caller's in the list of saved ones; saving twice is fine.",
        body=SavedMessageCreatePayload,
        query_names=SavedMessageCreatePayload,
        required_names=("message_id",),
        ok=ResultResponse,
        ok_text="Message saved successfully",
        refusals=SAVED_REFUSALS | {404: "Message Not Found"},
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        app_modes.require_completion(caller.app)
        body = parse_body(SavedMessageCreatePayload, query=True)
        feedback_and_saves.save(caller.owner, body.message_id)
        return reply(ResultResponse())


@web_ns.route("/saved-messages/<uuid:message_id>")
class SavedMessageResource(Resource):
    @document(
        "Remove a saved message",
        description="Takes a message out of the list of saved ones; the message itself stays.",
        status=204,
        ok_text="Message removed successfully",
        refusals=SAVED_REFUSALS | {404: "Message Not Found"},
        path={"message_id": "Message UUID to delete"},
    )
    @caller_required
    def delete(self, caller: Caller, message_id: uuid.UUID) -> Response:
        app_modes.require_completion(caller.app)
        feedback_and_saves.unsave(caller.owner, message_id)
        return no_content()
