"""Tasks: one row for every generation, whatever the app's mode. What stop, resume and hand-over stand on."""

import datetime
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now

RUNNING = "running"
SUCCEEDED = "succeeded"
FAILED = "failed"
STOPPED = "stopped"
PAUSED = "paused"


class Task(Base):
    """One generation.

    `epoch` counts the workers that took it: what an older epoch writes is refused, in the row and
    in the event log. `last_event` is the last sequence number that was sent, kept for the time after the log.
    `options` override the app's model parameters for this generation. A workflow run rests as `paused` while people have its forms:
    `decisions` counts those that were answered or ran out, `resumed_at` says since when it runs again.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        Index("tasks_running", "created_at", postgresql_where=text("status = 'running'")),
        Index("tasks_message", "message_id", unique=True),
        Index("tasks_workflow_run", "workflow_run_id", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID]
    app_version_id: Mapped[uuid.UUID]
    mode: Mapped[str] = mapped_column(String(32))
    conversation_id: Mapped[uuid.UUID | None]
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    workflow_run_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("workflow_runs.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(32), server_default=RUNNING, default=RUNNING)
    epoch: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    last_event: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    options: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    decisions: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    resumed_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    finished_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
