"""One log line for each answer or workflow run that has ended, and one for each time that it waits for people.

Written by whoever stored the end, right behind it: of several workers that have had a task, one can.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from flask import current_app

from app.models.tasks import FAILED, PAUSED, ClaimedTask
from app.services.auth.pseudonyms import pseudonym
from app.services.definitions import published_apps
from app.services.events.answer_counts import count_rest

log = structlog.get_logger(__name__)

# Of a query and of an answer, where they are to be in the log at all.
CONTENT_CHARACTERS = 2_000


@dataclass(frozen=True, kw_only=True)
class TaskRest:
    """How a task came to rest. Seconds count from the question, those in which a run waited for people left out.

    `cause`: the class of the error that ended it, with the kind of the node in which it came; None without one.
    `models`: those that were asked; `first_token`: the seconds until the first piece of text was published.
    `asked` and `answered`: what people wrote and read, for LOG_CONTENT.
    """

    outcome: str
    cause: str | None = None
    prompt_tokens: int = 0
    answer_tokens: int = 0
    first_token: float | None = None
    seconds: float = 0.0
    models: Sequence[str] = ()
    asked: Any = ""
    answered: Any = ""


def log_rest(task: ClaimedTask, app_code: str | None, rest: TaskRest) -> None:
    """Log and count the end of a task, or that its run waits. `app_code`: None where the app is gone."""
    count_rest(task, app_code, rest.outcome, rest.cause, rest.first_token, rest.seconds)
    line: dict[str, Any] = {
        "app": app_code,
        "app_id": task.app_id,
        "mode": task.mode,
        "task_id": task.task_id,
        "request_id": task.request_id,
        "end_user": pseudonym(task.end_user_id),
        "conversation_id": task.conversation_id or None,
        "workflow_run_id": task.workflow_run_id,
        "models": list(rest.models),
        "prompt_tokens": rest.prompt_tokens,
        "answer_tokens": rest.answer_tokens,
        "first_token": None if rest.first_token is None else round(rest.first_token, 3),
        "seconds": round(rest.seconds, 3),
        "waited": round(task.age, 3),
        "epoch": task.epoch,
        "outcome": rest.outcome,
        "cause": rest.cause,
    }
    if current_app.config["LOG_CONTENT"] == "on":
        line |= {"asked": _cut(rest.asked), "answered": _cut(rest.answered)}
    if rest.outcome == PAUSED:
        log.info("answer.paused", **line)
    else:
        log.info("answer.ended", **line)


def log_never_begun(task: ClaimedTask, error: Exception) -> None:
    """Log the end of a task that no worker could be given."""
    seconds = max(0.0, time.time() - task.created_at.timestamp())
    rest = TaskRest(outcome=FAILED, cause=type(error).__name__, seconds=seconds, asked=task.query or task.inputs)
    log_rest(task, code_of(task.app_id), rest)


def code_of(app_id: str) -> str | None:
    """Return the code of an app, None where it is gone."""
    app = published_apps.by_id(app_id)
    return None if app is None else app.code


def _cut(content: Any) -> str:
    text = content if isinstance(content, str) else orjson.dumps(content, default=str).decode()
    return text if len(text) <= CONTENT_CHARACTERS else text[:CONTENT_CHARACTERS] + "…"
