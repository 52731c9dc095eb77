"""Apps and their published versions."""

import datetime
import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, String, true
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now


class App(Base):
    """A served app: its public code, its mode, and the version that new conversations and runs use."""

    __tablename__ = "apps"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(64), unique=True)
    mode: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(255))
    enabled: Mapped[bool] = mapped_column(server_default=true(), default=True)
    access_mode: Mapped[str] = mapped_column(String(32), default="public", server_default="public")
    version_id: Mapped[uuid.UUID]
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    updated_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now, onupdate=now)


class AppVersion(Base):
    """One published state of an app: the whole app file. Never changed; kept while anything started with it."""

    __tablename__ = "app_versions"
    __table_args__ = (Index(None, "app_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("apps.id", ondelete="CASCADE", deferrable=True, initially="DEFERRED")
    )
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
