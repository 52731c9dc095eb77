"""POST /workflows/run: run a workflow, and stop the run."""

import functools

from flask import Response
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.bodies import parse_body, reply
from app.api.document import REFUSALS, document, web_ns
from app.api.schemas.common import GeneratedAppResponse, SimpleResultResponse
from app.api.schemas.messages import WorkflowRunPayload
from app.api.schemas.stream_events import RunStreamEvent
from app.api.streaming import run_and_reply
from app.services.definitions import app_modes
from app.services.visitor import generations, workflow_runs


@web_ns.route("/workflows/run")
class WorkflowRunResource(Resource):
    @document(
        "Run a workflow",
        description="Always answers with server-sent events, as the run goes on. `inputs` are the variables of the "
        "app's input form.",
        body=WorkflowRunPayload,
        ok=GeneratedAppResponse,
        events=RunStreamEvent,
    )
    @caller_required
    def post(self, caller: Caller) -> Response:
        app_modes.require_workflow(caller.app)
        body = parse_body(WorkflowRunPayload)
        begin = functools.partial(workflow_runs.start, caller.app, caller.end_user.id, body.inputs, body.files or [])
        return run_and_reply(caller.asker, begin, streaming=True)


@web_ns.route("/workflows/tasks/<string:task_id>/stop")
class WorkflowTaskStopResource(Resource):
    @document(
        "Stop a workflow run",
        description="Ends a running run of the caller's. Succeeds where there is nothing to stop.",
        ok=SimpleResultResponse,
        refusals=REFUSALS | {404: "Task Not Found"},
        path={"task_id": "Task ID to stop"},
    )
    @caller_required
    def post(self, caller: Caller, task_id: str) -> Response:
        stopped = generations.request_stop(caller.app.id, caller.end_user.id, task_id)
        if not stopped:
            app_modes.require_workflow(caller.app)
        return reply(SimpleResultResponse())
