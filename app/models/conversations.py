"""Conversations and their messages."""

import datetime
import uuid
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now

LISTED = "deleted_at IS NULL"


class Conversation(Base):
    """A thread of messages between one end user and one app, held to the app version it began with."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("conversations_by_update", "end_user_id", "updated_at", "id"),
        Index("conversations_by_creation", "end_user_id", "created_at", "id", postgresql_where=text(LISTED)),
        Index("conversations_pinned", "end_user_id", "updated_at", "id", postgresql_where=text(f"{LISTED} AND pinned")),
        Index("conversations_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("end_users.id", ondelete="CASCADE"))
    app_version_id: Mapped[uuid.UUID]
    mode: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16), server_default="normal", default="normal")
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    introduction: Mapped[str | None] = mapped_column(Text)
    pinned: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class Message(Base):
    """A question and its answer. The answer is filled in when the generation ends; until then the event log has it.

    `parent_message_id` is what the client sent and gets back; `previous_message_id` is the message whose
    thread this one continues: the same, or the conversation's latest where the client did not say.
    A message has one asker, so rating and saved mark are columns of it. `files` are file objects with `belongs_to`, in their order.
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_creation", "conversation_id", "created_at", "id"),
        Index("messages_saved", "end_user_id", "created_at", "id", postgresql_where=text("saved")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID]
    conversation_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    parent_message_id: Mapped[uuid.UUID | None]
    previous_message_id: Mapped[uuid.UUID | None]
    task_id: Mapped[uuid.UUID]
    query: Mapped[str] = mapped_column(Text)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSONB)
    files: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    answer: Mapped[str] = mapped_column(Text, server_default="", default="")
    status: Mapped[str] = mapped_column(String(16), server_default="normal", default="normal")
    error: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any] | None] = mapped_column("metadata", JSONB)
    rating: Mapped[str | None] = mapped_column(String(16))
    rating_content: Mapped[str | None] = mapped_column(Text)
    saved: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)
    prompt_tokens: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    answer_tokens: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    latency: Mapped[float] = mapped_column(Float, server_default=text("0"), default=0.0)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
