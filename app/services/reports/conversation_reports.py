"""List conversations, and show one as its end user saw it and as it came about."""

import contextlib
import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app

from app.agents.steps import AgentStep
from app.models import tasks
from app.models.agent_thoughts import list_thoughts
from app.models.reports.conversation_reports import (
    ConversationReport,
    find_conversation_report,
    list_conversation_reports,
)
from app.models.reports.message_reports import (
    FeedbackReport,
    MessageRow,
    list_feedback_reports,
    list_messages_of_conversation,
)
from app.models.reports.scopes import PagePlace
from app.services.events.stored_frames import step_of
from app.services.events.task_states import answer_so_far
from app.services.files.file_values import shown_inputs
from app.services.reports import run_records
from app.services.reports.report_filters import (
    ReportFilter,
    ReportNotFound,
    ReportPage,
    bounded,
    id_or_none,
    page_of,
    place_of,
    scope_of,
)
from app.services.reports.run_records import RunDetails
from app.streams.channel import RedisAway


@dataclass(frozen=True)
class MessageReport:
    """A message as operators see it. `latency` in seconds.

    `status`: running, paused, stopped, normal or error. `answer`: while it runs, as far as it has come. `steps`: what
    an agent thought and which tools it called. `citations`: what was retrieved for the answer, whether its end user was
    told or not. `usage`: tokens, prices and times; `details`: all other metadata. `run`: the workflow run behind the
    answer, with its node executions, where it was asked for.
    """

    id: str
    conversation_id: str
    conversation: str
    app: str
    mode: str
    end_user_id: str
    end_user: str
    account: str
    created_at: datetime.datetime
    query: str
    inputs: dict[str, Any]
    files: list[dict[str, Any]]
    answer: str
    status: str
    error: str | None
    rating: str | None
    rating_content: str | None
    saved: bool
    prompt_tokens: int
    answer_tokens: int
    latency: float
    task_id: str
    run_id: str | None
    usage: dict[str, Any]
    citations: list[Any]
    details: dict[str, Any]
    steps: list[AgentStep]
    run: RunDetails | None = None


@dataclass(frozen=True)
class ConversationDetails:
    """A conversation and a page of its messages, the oldest first."""

    summary: ConversationReport
    messages: ReportPage[MessageReport]


def list_conversations(
    asked: ReportFilter, following: str | None = None, limit: int = 50
) -> ReportPage[ConversationReport]:
    """Return conversations, the last active first. Raises ReportRefused.

    The filter's times are those of the last activity; its rating, status (normal, error, paused) and words ask for a
    conversation with such a message.
    """
    scope, place = scope_of(asked), place_of(following)
    with bounded() as connection:
        rows = list_conversation_reports(connection, scope, place, limit + 1)
    return page_of(rows, limit, lambda row: PagePlace(row.updated_at, uuid.UUID(row.id)))


def show_conversation(
    conversation_id: str, following: str | None = None, limit: int = 100, with_runs: bool = False
) -> ConversationDetails:
    """Return a conversation and its messages. Raises ReportRefused, ReportNotFound.

    `with_runs`: the messages of a chatflow have their workflow runs, secrets masked.
    """
    wanted = id_or_none(conversation_id)
    summary = None if wanted is None else find_conversation_report(wanted)
    if wanted is None or summary is None:
        raise ReportNotFound(f"There is no conversation {conversation_id}.")
    most_bytes = current_app.config["HISTORY_PAGE_BYTES"]
    place, most_bytes = place_of(following), current_app.config["HISTORY_PAGE_BYTES"]
    rows = list_messages_of_conversation(wanted, place, limit, most_bytes)
    # A page may end before its limit, for its bytes: only a look behind its last message says whether there are more.
    behind = list_messages_of_conversation(wanted, place_of_message(rows[-1]), 1, 1) if rows else []
    page = page_of([*rows, *behind], len(rows), place_of_message)
    return ConversationDetails(summary, ReportPage(message_reports(rows, with_runs), page.following))


def list_feedback(asked: ReportFilter, following: str | None = None, limit: int = 50) -> ReportPage[FeedbackReport]:
    """Return rated messages, the newest first. Raises ReportRefused."""
    scope, place = scope_of(asked), place_of(following)
    with bounded() as connection:
        rows = list_feedback_reports(connection, scope, place, limit + 1)
    return page_of(rows, limit, lambda row: PagePlace(row.created_at, uuid.UUID(row.message_id)))


def message_reports(rows: Sequence[MessageRow], with_runs: bool = False) -> list[MessageReport]:
    """Return messages as operators see them, with the steps of their agents."""
    steps: dict[str, list[AgentStep]] = {}
    for thought in list_thoughts([row.id for row in rows]):
        steps.setdefault(thought.message_id, []).append(step_of(thought))
    return [_message_report(row, steps.get(row.id, []), with_runs) for row in rows]


def place_of_message(row: MessageRow) -> PagePlace:
    """Return where a message stands among all."""
    return PagePlace(row.created_at, uuid.UUID(row.id))


def _message_report(row: MessageRow, steps: list[AgentStep], with_runs: bool) -> MessageReport:
    details = dict(row.details or {})
    usage, citations = details.pop("usage", None) or {}, details.pop("retriever_resources", None) or []
    return MessageReport(
        id=row.id,
        conversation_id=row.conversation_id,
        conversation=row.conversation,
        app=row.app,
        mode=row.mode,
        end_user_id=row.end_user_id,
        end_user=row.end_user,
        account=row.account,
        created_at=row.created_at,
        query=row.query,
        inputs=shown_inputs(row.inputs),
        files=row.files or [],
        answer=_answer(row),
        status=_status(row),
        error=row.error,
        rating=row.rating,
        rating_content=row.rating_content,
        saved=row.saved,
        prompt_tokens=row.prompt_tokens,
        answer_tokens=row.answer_tokens,
        latency=row.latency,
        task_id=row.task_id,
        run_id=row.run_id,
        usage=usage,
        citations=citations,
        details={name: value for name, value in details.items() if value is not None},
        steps=steps,
        run=run_records.show(row.run_id) if with_runs and row.run_id else None,
    )


def _status(row: MessageRow) -> str:
    """Return how the task stands where that says more than the message's own status."""
    return row.task_status if row.task_status in (tasks.RUNNING, tasks.PAUSED, tasks.STOPPED) else row.status


def _answer(row: MessageRow) -> str:
    if row.task_status != tasks.RUNNING:
        return row.answer
    # Without Redis a report shows what is stored.
    with contextlib.suppress(*RedisAway):
        return answer_so_far(row.task_id, row.answer, row.last_event or 0)[0]
    return row.answer
