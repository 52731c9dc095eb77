"""GET /files/{id}/file-preview, outside of /api: files by signed link, so that a browser shows them and runs nothing of them."""

import urllib.parse
import uuid
from typing import IO, cast

from flask import Flask, Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from app.services.files.file_previews import Preview, open_preview

PIECE = 262_144
# What browsers show without running anything of it.
SHOWN = {
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "text/plain",
    "application/pdf",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/wav",
    "audio/x-wav",
    "audio/webm",
    "audio/aac",
    "audio/flac",
    "audio/x-m4a",
    "audio/amr",
    "video/mp4",
    "video/webm",
    "video/ogg",
    "video/quicktime",
    "video/mpeg",
}
# A picture in a page runs no scripts either; opened on its own it would.
SAVED_AS_IT_IS = {"image/svg+xml", "application/zip", "application/json", "text/csv", "text/markdown"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; media-src *; sandbox"


def init_app(app: Flask) -> None:
    app.add_url_rule("/files/<uuid:file_id>/file-preview", "file_preview", file_preview, methods=["GET"])


def file_preview(file_id: uuid.UUID) -> Response:
    """Raises Forbidden, NotFound, RequestedRangeNotSatisfiable, ServiceUnavailable."""
    wanted = {name: request.args.get(name, "") for name in ("timestamp", "nonce", "sign")}
    preview = open_preview(str(file_id), **wanted)
    content = FileWrapper(cast(IO[bytes], preview.content), PIECE)
    answer = Response(content, mimetype=_served_type(preview), direct_passthrough=True)
    answer.headers["Content-Disposition"] = _disposition(preview)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Browsers' own PDF pages do not open in a sandbox.
    if preview.mime_type != "application/pdf":
        answer.headers["Content-Security-Policy"] = POLICY
    # An id stands for the same content for ever.
    answer.set_etag(preview.id)
    answer.last_modified = preview.created_at
    answer.cache_control.private = True
    answer.cache_control.max_age = int(preview.seconds)
    answer.content_length = preview.size
    try:
        answer.make_conditional(request.environ, accept_ranges=True, complete_length=preview.size)
    except RequestedRangeNotSatisfiable:
        preview.content.close()
        raise
    return answer


def _served_type(preview: Preview) -> str:
    return preview.mime_type if preview.mime_type in SHOWN | SAVED_AS_IT_IS else "application/octet-stream"


def _disposition(preview: Preview) -> str:
    as_attachment = request.args.get("as_attachment", "").lower() in ("true", "1") or preview.mime_type not in SHOWN
    kind = "attachment" if as_attachment else "inline"
    plain = "".join(
        sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in preview.name
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(preview.name, safe='')}"
