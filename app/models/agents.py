"""What agents thought and did for a message (contract streaming.md §3.1)."""

import datetime
import uuid
from typing import Any, NamedTuple

from sqlalchemy import Connection, ForeignKey, Index, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import now


class MessageAgentThought(Base):
    """One round of a model and the tools that it called. `said`: what of it is part of the answer.

    `calls`: id, name, arguments, label, observation (null until it came back), files. A worker that takes the answer over goes on from here.
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
    """What THOUGHTS gives."""

    id: str
    message_id: str
    position: int
    thought: str
    said: str
    calls: list[dict[str, Any]]
    created_at: datetime.datetime


# Gives a row as long as the run is this epoch's. `files`: those that the message has from its tools so far.
KEEP_THOUGHT = text(
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
"""
).bindparams(bindparam("calls", type_=JSONB), bindparam("files", type_=JSONB))

_THOUGHTS = text(
    """
SELECT id::text, message_id::text, position, thought, said, calls, created_at FROM agent_thoughts
WHERE message_id = ANY(CAST(:message_ids AS uuid[])) ORDER BY message_id, position
"""
)


def read_thoughts(connection: Connection, message_ids: list[str]) -> list[ThoughtRow]:
    """The thoughts of these messages, each message's in order."""
    return [ThoughtRow(*row) for row in connection.execute(_THOUGHTS, {"message_ids": message_ids})]
