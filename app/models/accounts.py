"""Accounts: who may log in to apps that are not public, and to which of them."""

import datetime
import uuid

from sqlalchemy import ForeignKey, Index, String, false
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now


class Account(Base):
    """Somebody who can log in. `email` is in lower case; without a password only mail codes log in."""

    __tablename__ = "accounts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(255), unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    banned: Mapped[bool] = mapped_column(server_default=false(), default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class AppMember(Base):
    """An account that may use an app of access mode `private`."""

    __tablename__ = "app_members"
    __table_args__ = (Index(None, "account_id"),)

    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
