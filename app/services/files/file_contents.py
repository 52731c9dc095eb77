"""What is in a file value, from the storage or from the server that a visitor named; and files that a run makes."""

import base64
from collections.abc import Mapping
from typing import Any

from flask import Flask, current_app

from app.errors import AppError, ServiceUnavailable
from app.models.identifiers import new_id
from app.models.owners import Owner
from app.models.upload_files import storage_key
from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.request_gate import FetchFailed
from app.providers.file_storage import FileMissing, FileStorage
from app.services.files import file_kinds, file_links, uploads
from app.services.process.providers import guarded_http, storage
from app.workflow.failures import NodeFailed
from app.workflow.values.files import File

FETCH_SECONDS = 60.0
# What vision models take; the first bytes say which it is.
_PICTURES = (
    (b"\x89PNG\r\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"RIFF", "image/webp"),
)


class FileContents:
    """Reads and stores one end user's files for nodes (implements `FileAccess` of `workflow.contracts`).

    Make it inside an app's context; any thread may use it.

    Every method raises NodeFailed where a file cannot be read or kept.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._storage: FileStorage = storage()
        self._http: GuardedHttp = guarded_http()
        self._image_limit = uploads.size_limit("png")

    def read(self, file: File, most_bytes: int, seconds: float, cancellation: Cancellation) -> bytes:
        """The whole content, in so many seconds. Raises Cancelled too."""
        if file.related_id is not None:
            return self._stored(file, most_bytes)
        limits = Limits(total=max(min(seconds, FETCH_SECONDS), 0.01), size=most_bytes)
        try:
            with self._http.request("GET", file.remote_url or "", limits=limits, cancellation=cancellation) as answer:
                if answer.status != 200:
                    raise _unreadable(file)
                return answer.read()
        except FetchFailed:
            raise _unreadable(file) from None

    def image_part(self, file: File, detail: str, seconds: float, cancellation: Cancellation) -> Mapping[str, Any]:
        """Return an image as OpenAI's content part.

        It carries the bytes: by a URL a model server could be sent into our own network.
        """
        content = self.read(file, self._image_limit, seconds, cancellation)
        mime_type = next((known for head, known in _PICTURES if content.startswith(head)), _declared(file))
        url = f"data:{mime_type};base64,{base64.b64encode(content).decode()}"
        return {"type": "image_url", "image_url": {"url": url, "detail": detail}}

    def store(self, name: str, content: bytes, mime_type: str) -> File:
        """Keep a file that a run made, for its visitor."""
        # Branches of a run have threads of their own, without a context.
        with self._app.app_context():
            try:
                kept = uploads.store(self._owner, name, mime_type, [content])
            except AppError as refused:
                raise NodeFailed(f"the file {name} cannot be kept: {refused.message}") from None
            return File(
                id=str(new_id()),
                type=file_kinds.kind_of(kept.extension),
                transfer_method="tool_file",
                name=kept.name,
                extension=f".{kept.extension}" if kept.extension else "",
                mime_type=kept.mime_type,
                size=kept.size,
                related_id=kept.id,
                url=file_links.link(kept.id),
            )

    def _stored(self, file: File, most_bytes: int) -> bytes:
        if file.size > most_bytes:
            raise NodeFailed(f"the file {file.name} is too large")
        try:
            with self._storage.open(storage_key(self._owner.app_id, str(file.related_id))) as content:
                return content.read()
        except (FileMissing, ServiceUnavailable):
            raise _unreadable(file) from None


def _declared(file: File) -> str:
    return file.mime_type if file.mime_type.startswith("image/") else file_kinds.mime_type_of(file.name) or "image/png"


def _unreadable(file: File) -> NodeFailed:
    return NodeFailed(f"the file {file.name} cannot be read")
