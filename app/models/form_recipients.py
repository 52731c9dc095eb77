"""Who may answer a form and who may upload files for it, the mails that bring it to people, and its files."""

import datetime
import uuid
from typing import Any, NamedTuple

from sqlalchemy import ForeignKey, Index, Integer, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_one, fetch_values
from app.models.identifiers import now


class HumanInputRecipient(Base):
    """Somebody who may answer a form, by a token of 22 letters and digits.

    `kind`: standalone_web_app, email_member, email_external, backstage. `mail`: which of the form's mails goes to
    `email`; `tried_at`: when it was last given to the mail server, `mailed_at`: when that took it.
    """

    __tablename__ = "human_input_recipients"
    __table_args__ = (
        Index("human_input_recipients_by_form", "form_id"),
        Index("human_input_recipients_by_email", "email", postgresql_where=text("email IS NOT NULL")),
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
    __table_args__ = (Index("human_input_files_by_file", "upload_file_id"),)

    form_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("human_input_forms.id", ondelete="CASCADE"), primary_key=True)
    upload_file_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)


class FormMailRow(NamedTuple):
    """A mail to send. `mail`: subject and body."""

    email: str
    mail: dict[str, Any]


_STORE_UPLOAD_TOKEN = text(
    "INSERT INTO human_input_upload_tokens (token_hash, form_id, created_at) VALUES (:token_hash, :form_id, :now)"
)
_STORE_FILE = text("INSERT INTO human_input_files (form_id, upload_file_id) VALUES (:form_id, :file_id)")

# `tried_at` gives a mail to one sender at a time; one that has not said so by `retry_before` is taken for dead.
_TAKE_MAIL = text(
    """
WITH recipient AS (
    UPDATE human_input_recipients SET tried_at = :now
    WHERE token = :token AND mailed_at IS NULL AND (tried_at IS NULL OR tried_at < :retry_before)
    RETURNING form_id, email, mail
)
SELECT recipient.email, form.mails -> recipient.mail AS mail
FROM recipient JOIN human_input_forms form ON form.id = recipient.form_id
WHERE form.status = 'waiting' AND form.expires_at > :now
"""
)
_MARK_MAILED = text("UPDATE human_input_recipients SET mailed_at = :now WHERE token = :token")
_LIST_UNMAILED = text(
    """
SELECT token FROM human_input_recipients recipient JOIN human_input_forms form ON form.id = recipient.form_id
WHERE recipient.email IS NOT NULL AND recipient.mailed_at IS NULL AND recipient.created_at < :before
    AND (recipient.tried_at IS NULL OR recipient.tried_at < :before) AND form.status = 'waiting' LIMIT :most
"""
)


def store_upload_token(token_hash: str, form_id: str, moment: datetime.datetime) -> None:
    """Store the right to upload files for a form."""
    execute(_STORE_UPLOAD_TOKEN, {"token_hash": token_hash, "form_id": form_id, "now": moment})


def store_file_of_form(form_id: str, file_id: str) -> None:
    """Store that a file was uploaded for a form."""
    execute(_STORE_FILE, {"form_id": form_id, "file_id": file_id})


def take_form_mail(token: str, moment: datetime.datetime, retry_before: datetime.datetime) -> FormMailRow | None:
    """Take the mail to the recipient of this token, to send it.

    None where it was sent, somebody else has taken it since `retry_before`, or the form is not open.
    """
    return fetch_one(_TAKE_MAIL, {"token": token, "now": moment, "retry_before": retry_before}, FormMailRow)


def mark_mailed(token: str, moment: datetime.datetime) -> None:
    """Store that the mail server has taken the mail to the recipient of this token."""
    execute(_MARK_MAILED, {"token": token, "now": moment})


def list_unmailed(before: datetime.datetime, most: int) -> list[str]:
    """Return tokens of open forms whose mails nobody has sent or tried to send since a moment before."""
    return fetch_values(_LIST_UNMAILED, {"before": before, "most": most})
