"""Workflow runs (of workflows and chatflows), their node executions, and the variables of a conversation.

A worker writes them by the statements of `app/models/checkpoints.py`.
"""

import datetime
import uuid
from typing import Any, NamedTuple

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import fetch_all, fetch_existing, fetch_one
from app.models.identifiers import new_id, now

SUCCEEDED, PARTIAL, FAILED, STOPPED, PAUSED, RUNNING = (
    "succeeded",
    "partial-succeeded",
    "failed",
    "stopped",
    "paused",
    "running",
)


class WorkflowRun(Base):
    """One run of a graph. `inputs` are the end user's, cleaned; `elapsed` in seconds, without those in which it waited.

    `dialogue_count` counts the messages of the thread that this run's message ends. `variables` are the conversation's
    as the run found them: a worker that takes the run over goes through their changes again.
    """

    __tablename__ = "workflow_runs"
    __table_args__ = (
        Index("workflow_runs_by_time", "created_at", "id"),
        Index("workflow_runs_alone", "created_at", "id", postgresql_where=text("message_id IS NULL")),
        Index("workflow_runs_by_version", "app_version_id"),
        Index("workflow_runs_by_app", "app_id", "created_at", "id"),
        Index("workflow_runs_by_end_user", "end_user_id", "created_at"),
        Index("workflow_runs_message", "message_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("end_users.id", ondelete="CASCADE"))
    app_version_id: Mapped[uuid.UUID]
    task_id: Mapped[uuid.UUID]
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(32), server_default=RUNNING, default=RUNNING)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    files: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"), default=list)
    variables: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    dialogue_count: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    outputs: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    elapsed: Mapped[float] = mapped_column(Float, server_default=text("0"), default=0.0)
    total_tokens: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    total_steps: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    exceptions_count: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    finished_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class NodeExecution(Base):
    """One execution of one node: the operator's record, and what another worker goes on from.

    `frame` names container and round for nodes inside one; `position` is the order in which node executions ended, null
    while one runs.
    """

    __tablename__ = "node_executions"
    __table_args__ = (Index("node_executions_by_run", "run_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workflow_runs.id", ondelete="CASCADE"))
    frame: Mapped[str] = mapped_column(Text)
    position: Mapped[int | None] = mapped_column(Integer)
    node_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(Text)
    index: Mapped[int] = mapped_column(Integer)
    predecessor_node_id: Mapped[str | None] = mapped_column(Text)
    iteration_id: Mapped[str | None] = mapped_column(Text)
    loop_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(32))
    inputs: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    process_data: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    outputs: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    handle: Mapped[str | None] = mapped_column(Text)
    writes: Mapped[list[Any] | None] = mapped_column(JSONB)
    usage: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    exceptions: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    error: Mapped[str | None] = mapped_column(Text)
    elapsed: Mapped[float | None] = mapped_column(Float)
    started_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class ConversationVariables(Base):
    """The conversation variables of one conversation: `contents` has values by the variable's id in the app file."""

    __tablename__ = "conversation_variables"

    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    contents: Mapped[dict[str, Any]] = mapped_column(JSONB)


class LoadedRun(NamedTuple):
    """A run as its worker needs it. `answer`: the text as it was when the run last waited."""

    run_id: str
    inputs: dict[str, Any]
    files: list[Any]
    dialogue_count: int
    elapsed: float
    created_at: datetime.datetime
    session_id: str
    variables: dict[str, Any] | None
    answer: str


class StoredRun(NamedTuple):
    """A run as a late reader is told of it."""

    run_id: str
    app_version_id: str
    task_id: str
    status: str
    inputs: dict[str, Any]
    files: list[Any]
    dialogue_count: int
    outputs: dict[str, Any] | None
    error: str | None
    elapsed: float
    total_tokens: int
    total_steps: int
    exceptions_count: int
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    app_id: str
    end_user_id: str
    session_id: str


class PastNodeExecution(NamedTuple):
    """A node execution that a worker goes on from: ended, or waiting for people. `run_index`: its number in the run."""

    frame: str
    node_id: str
    kind: str
    id: str
    run_index: int
    status: str
    outputs: dict[str, Any] | None
    handle: str | None
    writes: list[Any] | None
    usage: dict[str, Any] | None
    exceptions: int
    predecessor_node_id: str | None
    started_at: float


_LOAD = text(
    """
SELECT run.id::text AS run_id, run.inputs, run.files, run.dialogue_count, run.elapsed, run.created_at,
    end_user.session_id, run.variables, coalesce(message.answer, '') AS answer
FROM workflow_runs run JOIN end_users end_user ON end_user.id = run.end_user_id
LEFT JOIN messages message ON message.id = run.message_id
WHERE run.id = :run_id
"""
)

_FIND = text(
    """
SELECT run.id::text AS run_id, run.app_version_id::text, run.task_id::text, run.status, run.inputs, run.files,
    run.dialogue_count, run.outputs, run.error, run.elapsed, run.total_tokens, run.total_steps, run.exceptions_count,
    run.created_at, run.finished_at, run.app_id::text, run.end_user_id::text, end_user.session_id
FROM workflow_runs run JOIN end_users end_user ON end_user.id = run.end_user_id WHERE run.id = :run_id
"""
)

# Nodes that failed, were cut off or ran when a worker died are executed again: they count as if they had never begun,
# but for what they have kept by then, which stands where their outputs will be.
_PAST_NODES = text(
    """
SELECT frame, node_id, kind, id::text, index AS run_index, status, outputs, handle, writes, usage, exceptions,
    predecessor_node_id, extract(epoch FROM started_at)::float AS started_at
FROM node_executions WHERE run_id = :run_id AND (
    status IN ('succeeded', 'exception', 'paused') OR (status = 'running' AND outputs IS NOT NULL)
)
ORDER BY position NULLS LAST
"""
)

_NODES = text(
    """
SELECT id::text, node_id, kind, title, index, iteration_id, loop_id, status, elapsed,
    extract(epoch FROM started_at)::float AS started_at, extract(epoch FROM finished_at)::float AS finished_at
FROM node_executions WHERE run_id = :run_id ORDER BY started_at, index
"""
)


def load_run(run_id: str) -> LoadedRun:
    """Return a run for the worker that goes on with it. Raises sqlalchemy.exc.NoResultFound."""
    return fetch_existing(_LOAD, {"run_id": run_id}, LoadedRun)


def find_run(run_id: str) -> StoredRun | None:
    """Return a run as it is stored."""
    return fetch_one(_FIND, {"run_id": run_id}, StoredRun)


def list_past_node_executions(run_id: str | None) -> list[PastNodeExecution]:
    """Return the node executions that need not be done again, in the order in which they ended; waiting ones last."""
    return fetch_all(_PAST_NODES, {"run_id": run_id}, PastNodeExecution)


def list_node_executions(run_id: str) -> list[dict[str, Any]]:
    """Return all node executions of a run as they started.

    Each has the keys id, node_id, kind, title, index, iteration_id, loop_id, status, elapsed (seconds), started_at and
    finished_at (Unix seconds).
    """
    return fetch_all(_NODES, {"run_id": run_id}, dict)
