"""POST /completion-messages: ask a completion app, and stop the answer."""

import functools

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.schemas.common import GeneratedAppResponse, SimpleResultResponse
from app.api.schemas.messages import CompletionMessagePayload
from app.api.schemas.open_members import BlockingAnswer
from app.api.schemas.stream_events import CompletionStreamEvent
from app.api.streaming import run_and_reply
from app.services.definitions import app_modes
from app.services.visitor import completions, generations


@web_ns.route("/completion-messages")
class CompletionMessagesResource(Resource):
    @document(
        "Generate a text",
        description="Asks a completion app. `response_mode` `streaming` answers with server-sent events as the text is "
        "generated, "
        "`blocking` (the default) with one body at the end. `inputs` are the variables of the app's input form.",
        body=CompletionMessagePayload,
        ok=GeneratedAppResponse,
        events=CompletionStreamEvent,
        answer=BlockingAnswer,
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        app_modes.require_completion(caller.app)
        body = parse_body(CompletionMessagePayload)
        question = generations.Question(body.query, body.inputs, files=tuple(body.files or ()))
        begin = functools.partial(completions.start, caller.app, caller.end_user.id, question)
        return run_and_reply(caller.asker, begin, streaming=body.response_mode == "streaming")


@web_ns.route("/completion-messages/<string:task_id>/stop")
class CompletionMessageStopResource(Resource):
    @document(
        "Stop a text",
        description="Ends a running generation of the caller's; what was generated so far is kept. Succeeds where "
        "there is nothing to stop.",
        ok=SimpleResultResponse,
        refusals=REFUSALS | {404: "Task Not Found"},
        path={"task_id": "Task ID to stop"},
    )
    @caller_required
    def post(self, caller: Caller, task_id: str) -> Response:
        stopped = generations.request_stop(caller.app.id, caller.end_user.id, task_id)
        if not stopped:
            app_modes.require_completion(caller.app)
        return reply(SimpleResultResponse())
