"""Export answers and feedback, however many there are: page by page, so that memory stays the same and nothing waits.

An export has what was there when it began. Each page is a statement of its own, which holds no lock and no snapshot for
the next one: what is deleted meanwhile may be missing, and an answer under way is exported as it stands.
"""

import dataclasses
import datetime
import heapq
import operator
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from app.errors import AppUnavailable
from app.models.identifiers import now
from app.models.reports.message_reports import MessageRow, list_message_rows
from app.models.reports.run_records import NodeRecord, list_node_records
from app.models.reports.run_rows import WorkflowRunRow, list_workflow_run_rows
from app.models.reports.scopes import PagePlace, ReportScope
from app.providers.models.usage import NO_PRICE
from app.services.definitions.published_apps import version
from app.services.files.file_values import shown_inputs
from app.services.process.stored_values import masked
from app.services.reports.conversation_reports import MessageReport, message_reports
from app.services.reports.report_filters import ReportFilter, scope_of

PAGE_ROWS = 500
PAGE_BYTES = 4_000_000
WORKFLOW = "workflow"

Row = TypeVar("Row", MessageRow, WorkflowRunRow)


@dataclass(frozen=True)
class ExportedAnswer:
    """A message with its answer, or a run of a workflow app, whose `kind` is run: inputs asked, outputs answered.

    `nodes`: the node executions of the workflow run behind it, where they were asked for. `total_price`: exact,
    in `currency`; both empty where nothing was to be paid. What was paid in further currencies is in the usage alone.
    """

    kind: str
    id: str
    created_at: datetime.datetime
    app: str
    mode: str
    end_user: str
    end_user_id: str
    account: str
    conversation_id: str | None
    conversation: str | None
    task_id: str
    run_id: str | None
    query: str
    inputs: dict[str, Any] | None
    files: list[Any]
    answer: str
    outputs: dict[str, Any] | None
    status: str
    error: str | None
    rating: str | None
    rating_content: str | None
    saved: bool
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    total_price: str
    currency: str
    seconds: float
    citations: list[Any]
    steps: list[Any]
    nodes: list[NodeRecord] | None


@dataclass(frozen=True)
class ExportedFeedback:
    """A rated message. `created_at`: the message's."""

    message_id: str
    created_at: datetime.datetime
    app: str
    mode: str
    end_user: str
    account: str
    conversation_id: str
    rating: str
    content: str
    query: str
    answer: str


def export_answers(asked: ReportFilter, with_nodes: bool = False) -> Iterator[ExportedAnswer]:
    """Yield all messages of chats, agents, chatflows and completion apps, and the runs of workflow apps, oldest first.

    Runs have no ratings: a filter by rating leaves them out. Raises ReportRefused before the first one.
    """
    scope = _until_now(scope_of(asked))
    messages, runs = _messages(scope, with_nodes), _runs(scope, with_nodes)
    if scope.mode == WORKFLOW:
        return runs
    if scope.rating is not None or scope.mode is not None:
        return messages
    return heapq.merge(messages, runs, key=operator.attrgetter("created_at"))


def export_feedback(asked: ReportFilter) -> Iterator[ExportedFeedback]:
    """Yield all rated messages, the oldest first. Raises ReportRefused before the first one."""
    scope = _until_now(scope_of(asked))
    return (
        ExportedFeedback(
            message_id=row.id,
            created_at=row.created_at,
            app=row.app,
            mode=row.mode,
            end_user=row.end_user,
            account=row.account,
            conversation_id=row.conversation_id,
            rating=row.rating or "",
            content=row.rating_content or "",
            query=row.query,
            answer=row.answer,
        )
        for page in _pages(lambda place: list_message_rows(scope, place, PAGE_ROWS, PAGE_BYTES, rated=True))
        for row in page
    )


def _messages(scope: ReportScope, with_nodes: bool) -> Iterator[ExportedAnswer]:
    for page in _pages(lambda place: list_message_rows(scope, place, PAGE_ROWS, PAGE_BYTES)):
        for row, message in zip(page, message_reports(page), strict=True):
            yield _of_message(message, _nodes(row.run_id, row.app_version_id) if with_nodes else None)


def _runs(scope: ReportScope, with_nodes: bool) -> Iterator[ExportedAnswer]:
    for page in _pages(lambda place: list_workflow_run_rows(scope, place, PAGE_ROWS, PAGE_BYTES)):
        for row in page:
            yield _of_run(row, _nodes(row.id, row.app_version_id) if with_nodes else None)


def _pages(read: Callable[[PagePlace | None], list[Row]]) -> Iterator[list[Row]]:
    place = None
    while page := read(place):
        yield page
        place = PagePlace(page[-1].created_at, uuid.UUID(page[-1].id))


def _until_now(scope: ReportScope) -> ReportScope:
    """Return a scope that ends now: an export of a busy installation would go on for ever."""
    moment = now()
    return dataclasses.replace(scope, until=moment if scope.until is None else min(scope.until, moment))


def _of_message(message: MessageReport, nodes: list[NodeRecord] | None) -> ExportedAnswer:
    usage = message.usage
    paid = usage.get("total_price") if usage.get("total_price") != NO_PRICE else None
    return ExportedAnswer(
        kind="message",
        id=message.id,
        created_at=message.created_at,
        app=message.app,
        mode=message.mode,
        end_user=message.end_user,
        end_user_id=message.end_user_id,
        account=message.account,
        conversation_id=message.conversation_id,
        conversation=message.conversation,
        task_id=message.task_id,
        run_id=message.run_id,
        query=message.query,
        inputs=message.inputs,
        files=message.files,
        answer=message.answer,
        outputs=None,
        status=message.status,
        error=message.error,
        rating=message.rating,
        rating_content=message.rating_content,
        saved=message.saved,
        prompt_tokens=message.prompt_tokens,
        completion_tokens=message.answer_tokens,
        total_tokens=usage.get("total_tokens") or message.prompt_tokens + message.answer_tokens,
        total_price="" if paid is None else paid,
        currency="" if paid is None else str(usage.get("currency") or ""),
        seconds=message.latency,
        citations=message.citations,
        steps=message.steps,
        nodes=nodes,
    )


def _of_run(row: WorkflowRunRow, nodes: list[NodeRecord] | None) -> ExportedAnswer:
    secrets = _secrets(row.app_version_id)
    currency, paid = next(iter(sorted(row.prices.items())), ("", ""))
    return ExportedAnswer(
        kind="run",
        id=row.id,
        created_at=row.created_at,
        app=row.app,
        mode=WORKFLOW,
        end_user=row.end_user,
        end_user_id=row.end_user_id,
        account=row.account,
        conversation_id=None,
        conversation=None,
        task_id=row.task_id,
        run_id=row.id,
        query="",
        inputs=None if secrets is None else masked(shown_inputs(row.inputs), secrets),
        files=row.files,
        answer="",
        outputs=None if secrets is None else masked(row.outputs, secrets),
        status=row.status,
        error=row.error,
        rating=None,
        rating_content=None,
        saved=False,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        total_tokens=row.total_tokens,
        total_price=paid,
        currency=currency,
        seconds=row.elapsed,
        citations=[],
        steps=[],
        nodes=nodes,
    )


def _nodes(run_id: str | None, version_id: str) -> list[NodeRecord] | None:
    if run_id is None:
        return None
    secrets = _secrets(version_id)
    if secrets is None:
        return []
    return [
        NodeRecord(**{name: masked(value, secrets) for name, value in vars(node).items()})
        for node in list_node_records(uuid.UUID(run_id))
    ]


def _secrets(version_id: str) -> tuple[str, ...] | None:
    """Return the values of an app version that no record may show; None where nothing tells them any more."""
    try:
        definition = version(version_id)
    except AppUnavailable:
        return None
    return () if definition.workflow is None else definition.workflow.secrets
