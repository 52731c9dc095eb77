"""POST /chat-messages: ask a chat app, an agent or a chatflow, and stop the answer."""

import functools

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.schemas.common import GeneratedAppResponse, SimpleResultResponse
from app.api.schemas.messages import ChatMessagePayload
from app.api.schemas.open_members import ChatAnswer
from app.api.schemas.stream_events import ChatStreamEvent
from app.api.streaming import run_and_reply
from app.errors import NotChatApp
from app.services.definitions import app_modes
from app.services.visitor import chat, generations


@web_ns.route("/chat-messages")
class ChatMessagesResource(Resource):
    @document(
        "Send a message",
        description="Asks the app. `response_mode` `streaming` answers with server-sent events as the text is "
        "generated, "
        "`blocking` (the default; not for agents) with one body at the end. `inputs` are the variables of the app's "
        "input form.",
        body=ChatMessagePayload,
        ok=GeneratedAppResponse,
        events=ChatStreamEvent,
        answer=ChatAnswer,
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        app_modes.require_chat_family(caller.app, NotChatApp)
        body = parse_body(ChatMessagePayload)
        streaming = body.response_mode == "streaming"
        app_modes.require_streaming(caller.app, streaming)
        question = generations.Question(
            body.query,
            body.inputs,
            body.conversation_id,
            body.parent_message_id,
            "parent_message_id" in body.model_fields_set,
            tuple(body.files or ()),
        )
        begin = functools.partial(chat.start, caller.app, caller.end_user.id, question)
        return run_and_reply(caller.asker, begin, streaming=streaming)


@web_ns.route("/chat-messages/<string:task_id>/stop")
class ChatMessageStopResource(Resource):
    @document(
        "Stop an answer",
        description="Ends a running answer of the caller's; what was generated so far is kept. Succeeds where there "
        "is nothing to stop.",
        ok=SimpleResultResponse,
        refusals=REFUSALS | {404: "Task Not Found"},
        path={"task_id": "Task ID to stop"},
    )
    @caller_required
    def post(self, caller: Caller, task_id: str) -> Response:
        stopped = generations.request_stop(caller.app.id, caller.end_user.id, task_id)
        if not stopped:
            app_modes.require_chat_family(caller.app, NotChatApp)
        return reply(SimpleResultResponse())
