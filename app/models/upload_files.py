"""Files that visitors sent, or had fetched. Their contents are in the file storage, under `storage_key`."""

import datetime
import uuid

from sqlalchemy import BigInteger, Boolean, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now


class UploadFile(Base):
    """One file. Its row comes before its content and says `stored` after it, so that nothing half-written is ever seen or forgotten.

    No foreign key: when the visitor is gone, the row is what still knows the content that has to go.
    """

    __tablename__ = "upload_files"
    __table_args__ = (
        Index("upload_files_by_end_user", "end_user_id", "created_at"),
        Index("upload_files_unfinished", "created_at", postgresql_where=text("NOT stored")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    app_id: Mapped[uuid.UUID]
    end_user_id: Mapped[uuid.UUID]
    name: Mapped[str] = mapped_column(String(255))
    extension: Mapped[str] = mapped_column(String(64))
    mime_type: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), default=0)
    stored: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


def storage_key(app_id: uuid.UUID | str, file_id: uuid.UUID | str) -> str:
    """Where a file's content is. Nothing that a visitor typed is in it."""
    return f"{app_id}/{file_id}"
