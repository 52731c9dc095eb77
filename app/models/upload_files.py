"""Files that end users sent, or had fetched. Their contents are in the file storage, under `storage_key`."""

import datetime
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Index, String, text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.execution import execute, fetch_all, fetch_one, fetch_value
from app.models.identifiers import new_id, now
from app.models.owners import Owner, owned


class UploadFile(Base):
    """One file. Its row comes before its content and says `stored` after it: nothing half-written is seen or forgotten.

    No foreign key: when the end user is gone, the row is what still knows the content that has to go.
    """

    __tablename__ = "upload_files"
    __table_args__ = (
        Index("upload_files_by_end_user", "end_user_id", "created_at"),
        Index("upload_files_by_time", "created_at", "id"),
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


class NewUpload(NamedTuple):
    """A file whose content comes. `extension` without dot."""

    id: uuid.UUID
    name: str
    extension: str
    mime_type: str
    created_at: datetime.datetime


class OwnedFile(NamedTuple):
    """A stored file of an owner. `extension` without dot, `size` in bytes."""

    id: str
    name: str
    extension: str
    mime_type: str
    size: int


class PreviewRow(NamedTuple):
    """A stored file as whoever has a link to it sees it. `size` in bytes."""

    app_id: uuid.UUID
    name: str
    mime_type: str
    size: int
    created_at: datetime.datetime


class LeftOverFile(NamedTuple):
    """A file that is to be removed."""

    id: uuid.UUID
    app_id: uuid.UUID


_BEGIN = text(
    """
INSERT INTO upload_files (id, app_id, end_user_id, name, extension, mime_type, created_at)
VALUES (:id, :app_id, :end_user_id, :name, :extension, :mime_type, :created_at)
"""
)
_MARK_STORED = text("UPDATE upload_files SET stored = true, size = :size WHERE id = :id")
_DELETE = text("DELETE FROM upload_files WHERE id = :id")
_LIST_OWNED = text(
    f"""
SELECT id::text AS id, name, extension, mime_type, size FROM upload_files
WHERE id = ANY(CAST(:ids AS uuid[])) AND {owned("upload_files")} AND stored
"""
)
_SUM_OF_SIZES = text(f"SELECT COALESCE(sum(size), 0) AS size FROM upload_files WHERE {owned('upload_files')}")
_FIND_PREVIEW = text(
    """
SELECT app_id, name, mime_type, size, created_at FROM upload_files
WHERE id = :id AND stored AND EXISTS (
    SELECT 1 FROM end_users WHERE end_users.id = end_user_id AND kind <> 'forgotten'
)
"""
)
_LIST_LEFT_OVER = text(
    """
SELECT id, app_id FROM upload_files
WHERE (NOT stored AND created_at < now() - interval '6 hours')
    OR NOT EXISTS (SELECT 1 FROM end_users WHERE end_users.id = end_user_id)
LIMIT :most
"""
)


def storage_key(app_id: uuid.UUID | str, file_id: uuid.UUID | str) -> str:
    """Return where a file's content is. Nothing that an end user typed is in it."""
    return f"{app_id}/{file_id}"


def begin_upload(owner: Owner, new: NewUpload) -> None:
    """Make the row of a file whose content comes."""
    execute(_BEGIN, owner.values() | new._asdict())


def mark_stored(file_id: uuid.UUID, size: int) -> None:
    """Store that the content of a file is whole, and its size in bytes."""
    execute(_MARK_STORED, {"id": file_id, "size": size})


def delete_upload(file_id: uuid.UUID) -> None:
    """Delete the row of a file."""
    execute(_DELETE, {"id": file_id})


def list_owned_files(owner: Owner, file_ids: Sequence[str]) -> dict[str, OwnedFile]:
    """Return those of these files that are stored and the owner's, by id."""
    rows = fetch_all(_LIST_OWNED, owner.values() | {"ids": list(file_ids)}, OwnedFile)
    return {row.id: row for row in rows}


def sum_of_sizes(owner: Owner) -> int:
    """Return the bytes of all files of an owner."""
    return int(fetch_value(_SUM_OF_SIZES, owner.values()))


def find_preview(file_id: str) -> PreviewRow | None:
    """Return a stored file whose end user is there, whosever it is: the caller has checked the link."""
    return fetch_one(_FIND_PREVIEW, {"id": file_id}, PreviewRow)


def list_left_over_files(most: int) -> list[LeftOverFile]:
    """Return files that were begun six hours ago and never stored, and those whose end user is gone."""
    return fetch_all(_LIST_LEFT_OVER, {"most": most}, LeftOverFile)
