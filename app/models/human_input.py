"""Forms that runs put to people, who got them, and what was uploaded for them (contract human-input.md)."""

import datetime
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import now

WAITING = "waiting"


class HumanInputForm(Base):
    """One form. Its id is that of the node's run that made it, so that a run has one for each.

    `definition`: content, inputs, actions, defaults, display_in_ui as they were at the pause; `mails`: subject and body of each.
    `submitted`: the values by input name. `status`: waiting, submitted, timeout (the node's), expired (the run ended without it).
    """

    __tablename__ = "human_input_forms"
    __table_args__ = (
        Index("human_input_forms_by_run", "run_id"),
        Index("human_input_forms_by_expiration", "expires_at", postgresql_where=text("status = 'waiting'")),
        Index("human_input_forms_by_age", "created_at", postgresql_where=text("status = 'waiting'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    run_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workflow_runs.id", ondelete="CASCADE"))
    node_id: Mapped[str] = mapped_column(Text)
    node_title: Mapped[str] = mapped_column(Text)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    mails: Mapped[list[Any] | None] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(16), server_default=WAITING, default=WAITING)
    action_id: Mapped[str | None] = mapped_column(String(32))
    submitted: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    expires_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True))
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    decided_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class HumanInputRecipient(Base):
    """Somebody who may answer a form, by a token of 22 letters and digits. `kind`: standalone_web_app, email_member, email_external, backstage.

    `mail`: which of the form's mails goes to `email`; `tried_at`: when it was last given to the mail server, `mailed_at`: when that took it.
    """

    __tablename__ = "human_input_recipients"
    __table_args__ = (
        Index("human_input_recipients_by_form", "form_id"),
        Index(
            "human_input_recipients_unmailed",
            "created_at",
            postgresql_where=text("email IS NOT NULL AND mailed_at IS NULL"),
        ),
    )

    token: Mapped[str] = mapped_column(String(22), primary_key=True)
    form_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("human_input_forms.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    email: Mapped[str | None] = mapped_column(String(255))
    mail: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    tried_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))
    mailed_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class HumanInputUploadToken(Base):
    """A right to upload files for a form. Only the token's SHA-256 is kept."""

    __tablename__ = "human_input_upload_tokens"
    __table_args__ = (Index("human_input_upload_tokens_by_form", "form_id"),)

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    form_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("human_input_forms.id", ondelete="CASCADE"))
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class HumanInputFile(Base):
    """A file that was uploaded for a form. It belongs to the run's end user."""

    __tablename__ = "human_input_files"

    form_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("human_input_forms.id", ondelete="CASCADE"), primary_key=True)
    upload_file_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
