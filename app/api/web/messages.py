"""/messages: the history of a conversation, feedback, another answer, suggested questions."""

import functools
import uuid

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, parse_query, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.message_bodies import message_body
from app.api.schemas.common import GeneratedAppResponse, ResultResponse
from app.api.schemas.messages import (
    MessageFeedbackPayload,
    MessageListQuery,
    MessageMoreLikeThisQuery,
    SuggestedQuestionsResponse,
    WebMessageInfiniteScrollPagination,
)
from app.api.schemas.open_members import BlockingAnswer
from app.api.schemas.stream_events import CompletionStreamEvent
from app.api.streaming import run_and_reply
from app.errors import NotChatApp, NotChatAppHere
from app.services.auth import answer_limits
from app.services.definitions import app_modes
from app.services.events.message_events import AGENT
from app.services.visitor import completions, feedback_and_saves, messages, suggested_questions


@web_ns.route("/messages")
class MessagesResource(Resource):
    @document(
        "List messages",
        description="A page of a conversation's messages, oldest first; `first_id` is the oldest one the client has.",
        query=MessageListQuery,
        ok=WebMessageInfiniteScrollPagination,
        refusals=REFUSALS | {404: "Conversation Not Found or Not a Chat App"},
    )
    @caller_required
    def get(self, caller: Caller) -> Response:
        app_modes.require_chat_family(caller.app, NotChatAppHere)
        query = parse_query(MessageListQuery)
        page = messages.list_page(
            caller.owner, query.conversation_id, query.first_id, query.limit, caller.app.mode == AGENT
        )
        rows = [message_body(row) for row in page.rows]
        return reply(WebMessageInfiniteScrollPagination(limit=query.limit, has_more=page.has_more, data=rows))


@web_ns.route("/messages/<uuid:message_id>/feedbacks")
class MessageFeedbacksResource(Resource):
    @document(
        "Rate a message",
        description="`rating` `like` or `dislike`; null takes the rating back.",
        body=MessageFeedbackPayload,
        query_names=MessageFeedbackPayload,
        ok=ResultResponse,
        ok_text="Feedback submitted successfully",
        refusals=REFUSALS | {404: "Message Not Found"},
        path={"message_id": "Message UUID"},
    )
    @caller_required
    def post(self, caller: Caller, message_id: uuid.UUID) -> Response:
        body = parse_body(MessageFeedbackPayload, query=True)
        feedback_and_saves.rate(caller.owner, message_id, body.rating, body.content)
        return reply(ResultResponse())


@web_ns.route("/messages/<uuid:message_id>/more-like-this")
class MessageMoreLikeThisResource(Resource):
    @document(
        "Generate more like this",
        description="Asks again what a message of a completion app asked, for another answer.",
        query=MessageMoreLikeThisQuery,
        ok=GeneratedAppResponse,
        refusals=REFUSALS | {400: "Bad Request - Not a completion app or feature disabled", 404: "Message Not Found"},
        events=CompletionStreamEvent,
        answer=BlockingAnswer,
    )
    @caller_required
    def get(self, caller: Caller, message_id: uuid.UUID) -> Response:
        app_modes.require_completion(caller.app)
        query = parse_query(MessageMoreLikeThisQuery)
        begin = functools.partial(completions.start_more_like, caller.app, caller.end_user.id, message_id)
        return run_and_reply(caller.asker, begin, streaming=query.response_mode == "streaming")


@web_ns.route("/messages/<uuid:message_id>/suggested-questions")
class MessageSuggestedQuestionsResource(Resource):
    @document(
        "Suggest questions",
        description="What the visitor may want to ask after this message, found by the model; an empty list where it "
        "finds nothing.",
        ok=SuggestedQuestionsResponse,
        refusals=REFUSALS
        | {400: "Bad Request - Not a chat app or feature disabled", 404: "Message Not Found or Conversation Not Found"},
        path={"message_id": "Message UUID"},
    )
    @caller_required
    def get(self, caller: Caller, message_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatApp)
        answer_limits.count_request("suggested questions", caller.asker)
        return reply(SuggestedQuestionsResponse(data=suggested_questions.suggest(caller.owner, message_id)))
