"""GET /files/{id}/file-preview, outside /api: serve files by signed links.

The files are from strangers. A browser may show them, but must not run anything in them as a page of ours: types that
can hold scripts are sent as attachments or opaque bytes, `nosniff` forbids guessing another type, and the content
security policy forbids scripts.
"""

import urllib.parse
import uuid
from typing import IO, cast

from flask import Flask, Response, request
from werkzeug.exceptions import RequestedRangeNotSatisfiable
from werkzeug.wsgi import FileWrapper

from app.services.files.file_previews import Preview, open_preview

PIECE = 262_144
# Types that browsers show without running anything in them.
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
# Types that are named but sent as attachments. An SVG in a page's <img> runs no scripts, one opened by itself would.
ATTACHED = {"image/svg+xml", "application/zip", "application/json", "text/csv", "text/markdown"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; media-src *; sandbox"


def init_app(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule("/files/<uuid:file_id>/file-preview", "file_preview", file_preview, methods=["GET"])


def file_preview(file_id: uuid.UUID) -> Response:
    """Return a file, or the ranges of it that the request asks for.

    Raises Forbidden, NotFound, RequestedRangeNotSatisfiable, ServiceUnavailable.
    """
    wanted = {name: request.args.get(name, "") for name in ("timestamp", "nonce", "sign")}
    preview = open_preview(str(file_id), **wanted)
    content = FileWrapper(cast(IO[bytes], preview.content), PIECE)
    response = Response(content, mimetype=_served_type(preview), direct_passthrough=True)
    response.headers["Content-Disposition"] = _disposition(preview)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    # Browsers do not open their PDF viewer in a sandboxed page.
    if preview.mime_type != "application/pdf":
        response.headers["Content-Security-Policy"] = POLICY
    # The content of an id never changes: the id is its entity tag.
    response.set_etag(preview.id)
    response.last_modified = preview.created_at
    response.cache_control.private = True
    response.cache_control.max_age = int(preview.seconds)
    response.content_length = preview.size
    try:
        response.make_conditional(request.environ, accept_ranges=True, complete_length=preview.size)
    except RequestedRangeNotSatisfiable:
        preview.content.close()
        raise
    return response


def _served_type(preview: Preview) -> str:
    return preview.mime_type if preview.mime_type in SHOWN | ATTACHED else "application/octet-stream"


def _disposition(preview: Preview) -> str:
    as_attachment = request.args.get("as_attachment", "").lower() in ("true", "1") or preview.mime_type not in SHOWN
    kind = "attachment" if as_attachment else "inline"
    plain = "".join(
        character if character.isascii() and character.isprintable() and character not in '"\\' else "_"
        for character in preview.name
    )
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{urllib.parse.quote(preview.name, safe='')}"
