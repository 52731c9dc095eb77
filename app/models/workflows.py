"""Runs of workflows and chatflows, what their nodes did, and the variables of a conversation."""

import datetime
import uuid
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
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
    """One run of a graph. `inputs` are the visitor's, cleaned; `elapsed` in seconds, without the time in which it waited.

    `dialogue_count` counts the messages of the thread that this run's message ends. `variables` are the conversation's as the
    run found them: a worker that takes the run over goes through their changes again.
    """

    __tablename__ = "workflow_runs"
    __table_args__ = (
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
    """One run of one node: the operator's record, and what another worker goes on from.

    `frame` names container and round for nodes inside one; `position` is the order in which nodes ended, null while one runs.
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
    """The conversation variables of one conversation: values by the variable's id in the app file."""

    __tablename__ = "conversation_variables"

    conversation_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    contents: Mapped[dict[str, Any]] = mapped_column(JSONB)
