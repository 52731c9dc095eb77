"""The span of a task in a worker: child of the request that asked, whichever worker has the task."""

from typing import Any

import orjson

from app import tracing
from app.models.tasks import FAILED, ClaimedTask
from app.services.auth.pseudonyms import pseudonym
from app.services.events.answer_lines import TaskRest
from app.services.events.message_events import AGENT
from app.tracing import TraceSpan


def task_span(task: ClaimedTask, app_code: str | None) -> TraceSpan:
    """Return the span of a task that a worker begins, or goes on with, now."""
    name = "workflow run" if task.mode == "workflow" else "answer"
    end_user, conversation = pseudonym(task.end_user_id), task.conversation_id or None
    attributes = {
        tracing.ROLE: "AGENT" if task.mode == AGENT else "CHAIN",
        "frontdesk.app": app_code,
        "frontdesk.mode": task.mode,
        "frontdesk.task_id": task.task_id,
        "frontdesk.epoch": task.epoch,
        "frontdesk.workflow_run_id": task.workflow_run_id,
        "frontdesk.request_id": task.request_id,
        "gen_ai.conversation.id": conversation,
        # The first is the convention's name, the other two are what tools for models group by.
        "enduser.pseudo.id": end_user,
        "user.id": end_user,
        "session.id": conversation,
    }
    if task.mode == AGENT:
        attributes |= {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": app_code}
    return tracing.span(f"{name} {app_code or task.mode}", attributes, kind="consumer", parent=task.traceparent)


def tell_rest(span: TraceSpan, rest: TaskRest) -> None:
    """Add to a task's span how the task came to rest."""
    if not span.is_kept:
        return
    span.set(
        {
            "frontdesk.outcome": rest.outcome,
            "frontdesk.models": list(rest.models),
            # Not by the conventions' names: tools would add them to those of the model calls below.
            "frontdesk.prompt_tokens": rest.prompt_tokens,
            "frontdesk.answer_tokens": rest.answer_tokens,
            "frontdesk.first_token": rest.first_token,
        }
    )
    if rest.outcome == FAILED:
        span.fail(rest.cause or FAILED)
    if span.has_content:
        span.set({"input.value": _text(rest.asked), "output.value": _text(rest.answered)})


def _text(content: Any) -> str:
    return tracing.cut(content if isinstance(content, str) else orjson.dumps(content, default=str).decode())
