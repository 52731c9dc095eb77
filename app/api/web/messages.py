"""Messages: the history of a conversation, feedback, more of their like, what to ask next."""

import uuid
from typing import Any

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, parse_query, reply
from app.api.document import REFUSALS, document
from app.api.form_contents import form_contents
from app.api.message_files import message_files
from app.api.namespaces import web_ns
from app.api.schemas.common import GeneratedAppResponse, ResultResponse
from app.api.schemas.messages import (
    AgentThought,
    MessageFeedbackPayload,
    MessageListQuery,
    MessageMoreLikeThisQuery,
    RetrieverResource,
    SimpleFeedback,
    SuggestedQuestionsResponse,
    WebMessageInfiniteScrollPagination,
    WebMessageListItem,
)
from app.api.streaming import run_and_reply
from app.errors import NotChatApp, NotChatAppHere
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
        rows = [_message(row) for row in page.rows]
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
        streams=True,
    )
    @caller_required
    def get(self, caller: Caller, message_id: uuid.UUID) -> Response:
        app_modes.require_completion(caller.app)
        query = parse_query(MessageMoreLikeThisQuery)
        task = completions.start_more_like(caller.app, caller.end_user.id, message_id)
        return run_and_reply(task, streaming=query.response_mode == "streaming")


@web_ns.route("/messages/<uuid:message_id>/suggested-questions")
class MessageSuggestedQuestionsResource(Resource):
    @document(
        "Suggest questions",
        description="What the visitor may want to ask after this message, found by the model; an empty list where it finds nothing.",
        ok=SuggestedQuestionsResponse,
        refusals=REFUSALS
        | {400: "Bad Request - Not a chat app or feature disabled", 404: "Message Not Found or Conversation Not Found"},
        path={"message_id": "Message UUID"},
    )
    @caller_required
    def get(self, caller: Caller, message_id: uuid.UUID) -> Response:
        app_modes.require_chat_family(caller.app, NotChatApp)
        return reply(SuggestedQuestionsResponse(data=suggested_questions.suggest(caller.owner, message_id)))


def _message(row: messages.MessageItem) -> WebMessageListItem:
    return WebMessageListItem.model_construct(
        id=row.id,
        conversation_id=row.conversation_id,
        parent_message_id=row.parent_message_id,
        inputs=row.inputs,
        query=row.query,
        answer=row.answer,
        message_files=message_files(row.files),
        feedback=SimpleFeedback(rating=row.rating) if row.rating else None,
        retriever_resources=[_source(row, source) for source in (row.details or {}).get("retriever_resources", ())],
        created_at=row.created_at,
        agent_thoughts=[_thought(row.id, thought) for thought in row.thoughts],
        status=row.status,
        error=row.error,
        extra_contents=form_contents(row.forms),
        metadata=row.details,
    )


def _source(row: messages.MessageItem, source: dict[str, Any]) -> RetrieverResource:
    known: dict[str, Any] = {name: source.get(name) for name in RetrieverResource.model_fields}
    return RetrieverResource.model_construct(**known | {"message_id": row.id, "created_at": row.created_at})


def _thought(message_id: str, thought: messages.ThoughtItem) -> AgentThought:
    step = thought.step
    return AgentThought.model_construct(
        id=step.id,
        message_id=message_id,
        position=step.position,
        thought=step.thought,
        tool=step.tool,
        tool_labels=step.tool_labels,
        tool_input=step.tool_input,
        created_at=thought.created_at,
        observation=step.observation,
        files=[file["id"] for file in step.files],
    )
