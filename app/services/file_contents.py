"""What is in a file value: from the storage, or from the server that a visitor named."""

import base64
import time
from collections.abc import Mapping
from typing import Any

from app.errors import RunFailed
from app.models.upload_files import storage_key
from app.providers.cancellation import Cancellation
from app.providers.file_storage import FileMissing, FileStorage
from app.providers.guarded_http import GuardedHttp, Limits
from app.providers.request_gate import FetchFailed
from app.services import file_kinds, uploads
from app.services.fetching import guarded_http
from app.services.storage import storage
from app.workflow.files import File

FETCH_SECONDS = 60.0
# What vision models take; the first bytes say which it is.
_PICTURES = ((b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"))


class FileContents:
    """The contents of one app's files. To be made inside an app's context; usable outside of it."""

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._storage: FileStorage = storage()
        self._http: GuardedHttp = guarded_http()
        self._image_limit = uploads.size_limit("png")

    def read(self, file: File, most_bytes: int, deadline: float, cancellation: Cancellation) -> bytes:
        """The whole content; `deadline` in monotonic seconds. Raises RunFailed, Cancelled, ServiceUnavailable."""
        if file.related_id is not None:
            return self._stored(file, most_bytes)
        limits = Limits(total=max(min(deadline - time.monotonic(), FETCH_SECONDS), 0.01), size=most_bytes)
        try:
            with self._http.request("GET", file.remote_url or "", limits=limits, cancellation=cancellation) as answer:
                if answer.status != 200:
                    raise _unreadable(file)
                return answer.read()
        except FetchFailed:
            raise _unreadable(file) from None

    def image_part(self, file: File, detail: str, deadline: float, cancellation: Cancellation) -> Mapping[str, Any]:
        """An image as OpenAI's content part. Always with its bytes: a model server could be sent into our own network by a URL.

        Raises as `read`.
        """
        content = self.read(file, self._image_limit, deadline, cancellation)
        mime_type = next((known for head, known in _PICTURES if content.startswith(head)), _declared(file))
        url = f"data:{mime_type};base64,{base64.b64encode(content).decode()}"
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}

    def _stored(self, file: File, most_bytes: int) -> bytes:
        if file.size > most_bytes:
            raise RunFailed(f"Run failed: the file {file.name} is too large.")
        try:
            with self._storage.open(storage_key(self._app_id, str(file.related_id))) as content:
                return content.read()
        except FileMissing:
            raise _unreadable(file) from None


def _declared(file: File) -> str:
    return file.mime_type if file.mime_type.startswith("image/") else file_kinds.mime_type_of(file.name) or "image/png"


def _unreadable(file: File) -> RunFailed:
    return RunFailed(f"Run failed: the file {file.name} cannot be read.")
