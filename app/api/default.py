"""GET /workflow/{task_id}/events, on the default namespace: continue a task's stream (contract streaming.md §9)."""

from flask import Response, request
from flask_restx import Resource

from app.api.auth import Caller, caller_required
from app.api.document import default_ns, document
from app.api.schemas.common import EventStreamResponse
from app.api.schemas.stream_events import ChatStreamEvent
from app.api.streaming import resume
from app.services.events import task_states


@default_ns.route("/workflow/<string:task_id>/events")
class WorkflowEventsResource(Resource):
    @document(
        "Go on reading a generation",
        description="Server-sent events of a generation: those after `Last-Event-ID`, then live ones, to its end. "
        "The path takes a workflow run id, a task id, and for messages the message id. "
        "A workflow run without `Last-Event-ID` goes on from now, with `include_state_snapshot=true` from a summary "
        "of what happened so far.",
        headers={"Last-Event-ID": "The number of the last event that the client has"},
        ok=EventStreamResponse,
        ok_text="SSE event stream",
        refusals={},
        events=ChatStreamEvent,
    )
    @caller_required
    def get(self, caller: Caller, task_id: str) -> Response:
        state = task_states.find_owned(caller.app.id, caller.end_user.id, task_id)
        with_snapshot = request.args.get("include_state_snapshot", "").strip().lower() == "true"
        return resume(caller.asker, state, request.headers.get("Last-Event-ID"), with_snapshot)
