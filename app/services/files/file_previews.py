"""Stored files for whoever has a link to them."""

import datetime
from dataclasses import dataclass

from app.errors import Forbidden, NotFound
from app.models.upload_files import find_preview, storage_key
from app.providers.file_storage import FileMissing, StoredFile
from app.services.files import file_links
from app.services.process.providers import storage


@dataclass(frozen=True)
class Preview:
    """An open file, and what its reader has to know. `seconds`: how long the link still works. To be closed."""

    id: str
    name: str
    mime_type: str
    size: int
    created_at: datetime.datetime
    seconds: float
    content: StoredFile


def open_preview(file_id: str, timestamp: str, nonce: str, sign: str) -> Preview:
    """Open a file by its signed link.

    Raises Forbidden for a link that ran out or has a wrong signature, NotFound where the file is gone,
    ServiceUnavailable.
    """
    seconds = file_links.seconds_left(file_id, timestamp, nonce, sign)
    if not seconds:
        raise Forbidden("This link does not work any more.")
    row = find_preview(file_id)
    if row is None:
        raise NotFound
    try:
        content = storage().open(storage_key(row.app_id, file_id))
    except FileMissing:
        raise NotFound from None
    return Preview(file_id, row.name, row.mime_type, row.size, row.created_at, seconds, content)
