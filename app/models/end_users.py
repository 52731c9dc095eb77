"""End users: the visitors of an app."""

import datetime
import uuid

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now


class EndUser(Base):
    """One visitor of one app (contract README §4.5). `kind` keeps logged-in accounts apart from claimed names."""

    __tablename__ = "end_users"
    __table_args__ = (UniqueConstraint("app_id", "kind", "session_id", name="end_users_session_key"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16), default="visitor", server_default="visitor")
    session_id: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
