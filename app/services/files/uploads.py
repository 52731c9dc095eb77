"""Files on their way from a visitor, or from another server, into the storage."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from flask import current_app

from app.errors import AppError, FileExtensionBlocked, FileTooLarge, NoFileUploaded, TooManyFiles, UnsupportedFileType
from app.models.identifiers import new_id, now
from app.models.owners import Owner
from app.models.upload_files import (
    NewUpload,
    begin_upload,
    delete_upload,
    list_left_over_files,
    mark_stored,
    storage_key,
)
from app.providers.file_storage import NewFile
from app.services.files import file_kinds
from app.services.process.providers import storage

MEGABYTE = 1_048_576


@dataclass(frozen=True)
class StoredUpload:
    """A file that is kept. `extension` without dot, `size` in bytes, `created_at` in Unix seconds."""

    id: str
    owner: Owner
    name: str
    extension: str
    mime_type: str
    size: int
    created_at: int


class Upload:
    """One file being written: its row says `stored` only once the content is whole."""

    def __init__(self, owner: Owner, name: str, mime_type: str | None) -> None:
        """`name` as it was sent. Raises InvalidParam, FileNameMissing, FileExtensionBlocked, ServiceUnavailable."""
        self.name = file_kinds.clean_name(name)
        self.extension = file_kinds.extension_of(self.name)
        if self.extension in current_app.config["UPLOAD_BLOCKED_EXTENSIONS"]:
            raise FileExtensionBlocked
        self.limit = size_limit(self.extension)
        self._owner = owner
        self._mime_type = file_kinds.clean_mime_type(mime_type)
        self._id = new_id()
        self._now = now()
        self._head = b""
        self._file: NewFile | None = None
        begin_upload(owner, NewUpload(self._id, self.name, self.extension, self._mime_type, self._now))

    def write(self, data: bytes) -> int:
        """Store the content.

        Raises FileTooLarge, UnsupportedFileType where content and name disagree, ServiceUnavailable.
        """
        if self._file is None:
            self._file = storage().create(storage_key(self._owner.app_id, self._id))
        if self._file.size + len(data) > self.limit:
            raise FileTooLarge
        if len(self._head) < file_kinds.HEAD_BYTES:
            self._head += data[: file_kinds.HEAD_BYTES]
            if not file_kinds.is_plausible(self.extension, self._head):
                raise UnsupportedFileType
        return self._file.write(data)

    def keep(self) -> StoredUpload:
        """Raises ServiceUnavailable."""
        self.write(b"")
        assert self._file is not None
        self._file.keep()
        mark_stored(self._id, self._file.size)
        created_at = int(self._now.timestamp())
        return StoredUpload(
            str(self._id), self._owner, self.name, self.extension, self._mime_type, self._file.size, created_at
        )

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            self._file.discard()
        storage().delete(storage_key(self._owner.app_id, self._id))
        delete_upload(self._id)


class Intake:
    """The file parts of one request, of which there should be one. Nothing stays but what `keep` gives."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._parts: list[Part] = []
        self._kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._kept:
            for part in self._parts:
                part.discard()

    def open(self, name: str | None, mime_type: str | None) -> "Part":
        """Where to write a file part with this file name."""
        # All but the first are read for nothing: the request will be refused.
        wrong: AppError | None = TooManyFiles() if self._parts else None
        upload = None
        if wrong is None:
            try:
                upload = Upload(self._owner, name or "", mime_type)
            except AppError as refusal:
                wrong = refusal
        part = Part(upload, wrong)
        self._parts.append(part)
        return part

    def keep(self, fields: Sequence[str], source: str | None) -> StoredUpload:
        """Check what came, in the contract's order, and keep it. `fields`: the names of the form's file fields.

        Raises NoFileUploaded, TooManyFiles, FileNameMissing, InvalidParam, FileExtensionBlocked, UnsupportedFileType,
        FileTooLarge, ServiceUnavailable.
        """
        if "file" not in fields:
            raise NoFileUploaded
        if len(self._parts) > 1:
            raise TooManyFiles
        stored = self._parts[0].keep(documents_only=source == "datasets")
        self._kept = True
        return stored


class Part:
    """One part of a form. Errors are raised when the whole request is read: then the answer reaches the sender."""

    def __init__(self, upload: Upload | None, wrong: AppError | None) -> None:
        self._upload = upload
        self._wrong = wrong

    def write(self, data: bytes) -> int:
        if self._upload is not None and self._wrong is None:
            try:
                self._upload.write(data)
            except AppError as wrong:
                self._wrong = wrong
                self._upload.discard()
        return len(data)

    def seek(self, position: int) -> int:
        """What the form's parser does when a part is over."""
        return position

    def keep(self, documents_only: bool) -> StoredUpload:
        """Raises what was wrong."""
        if self._upload is not None and documents_only and not file_kinds.is_document(self._upload.extension):
            raise UnsupportedFileType
        if self._wrong is not None:
            raise self._wrong
        assert self._upload is not None
        return self._upload.keep()

    def discard(self) -> None:
        if self._upload is not None:
            self._upload.discard()


def store(owner: Owner, name: str, mime_type: str | None, pieces: Iterable[bytes]) -> StoredUpload:
    """Keep a file that comes in pieces. Raises what `Upload` raises, and what the pieces raise."""
    upload = Upload(owner, name, mime_type)
    try:
        for piece in pieces:
            upload.write(piece)
        return upload.keep()
    except BaseException:
        upload.discard()
        raise


def size_limit(extension: str) -> int:
    """Bytes that a file with this extension may have."""
    limits: dict[str, int] = current_app.config["UPLOAD_LIMITS_MB"]
    return limits[file_kinds.kind_of(extension)] * MEGABYTE


def largest_limit() -> int:
    """Bytes that any file may have."""
    limits: dict[str, int] = current_app.config["UPLOAD_LIMITS_MB"]
    return max(limits.values()) * MEGABYTE


def sweep(most: int = 1_000) -> int:
    """Remove what was begun and never finished, and the files of visitors who are gone; gives how many."""
    files = list_left_over_files(most)
    for file in files:
        storage().delete(storage_key(file.app_id, file.id))
        delete_upload(file.id)
    return len(files)
