"""Agent thoughts: what an agent thought and did for a message (contract streaming.md §3.1)."""

import datetime
import uuid
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import fetch_all, fetch_value, json_text
from app.models.identifiers import now


class MessageAgentThought(Base):
    """One round of a model and the tools that it called. `said`: what of it is part of the answer.

    `calls`: id, name, arguments, label, observation (null until it came back) and files of each call. A worker that
    takes the answer over goes on from these rows.
    """

    __tablename__ = "agent_thoughts"
    __table_args__ = (Index("agent_thoughts_by_message", "message_id", "position"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    thought: Mapped[str] = mapped_column(Text)
    said: Mapped[str] = mapped_column(Text)
    calls: Mapped[list[Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class ThoughtRow(NamedTuple):
    """A stored thought."""

    id: str
    message_id: str
    position: int
    thought: str
    said: str
    calls: list[dict[str, Any]]
    created_at: datetime.datetime


# The task's row is locked first, so that no other worker can claim the task between the check of the epoch and the
# writes. Files are appended, never set: a message holds those of its end user as well, and earlier rounds have theirs.
_STORE = json_text(
    """
WITH task AS (
    SELECT id, message_id FROM tasks WHERE id = :task_id AND epoch = :epoch AND status = 'running' FOR UPDATE
), thought AS (
    INSERT INTO agent_thoughts (id, message_id, position, thought, said, calls, created_at)
    SELECT CAST(:id AS uuid), task.message_id, :position, :thought, :said, :calls, :now FROM task
    ON CONFLICT (id) DO UPDATE SET thought = excluded.thought, said = excluded.said, calls = excluded.calls
), message AS (
    UPDATE messages SET files = coalesce(messages.files, '[]') || :files
    FROM task WHERE messages.id = task.message_id AND :files <> CAST('[]' AS jsonb)
)
SELECT id FROM task
""",
    "calls",
    "files",
)

_LIST = text(
    """
SELECT id::text, message_id::text, position, thought, said, calls, created_at FROM agent_thoughts
WHERE message_id = ANY(CAST(:message_ids AS uuid[])) ORDER BY message_id, position
"""
)


def store_thought(task_id: str, epoch: int, thought: ThoughtRow, files: Sequence[dict[str, Any]]) -> bool:
    """Insert or update a thought, and add `files` to its message; False where another epoch has the task."""
    values = thought._asdict() | {"task_id": task_id, "epoch": epoch, "files": files, "now": thought.created_at}
    return fetch_value(_STORE, values) is not None


def list_thoughts(message_ids: Sequence[str]) -> list[ThoughtRow]:
    """Return the thoughts of these messages, each message's in order."""
    return fetch_all(_LIST, {"message_ids": list(message_ids)}, ThoughtRow)
