"""Receive a form with one file, writing the file to the storage as it arrives."""

from collections.abc import Mapping
from typing import IO, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import get_input_stream

from app.errors import BadRequest, FileTooLarge, NoFileUploaded
from app.models.owners import Owner
from app.services.auth import answer_limits
from app.services.auth.asker import Asker
from app.services.files import remote_files, uploads

# The most that a form may hold beside its file: boundaries, headers, fields.
FORM_BYTES = 1_048_576


def receive_upload(asker: Asker) -> uploads.StoredUpload:
    """Store the request's file for who asks.

    Raises as `uploads.Intake.keep` and `answer_limits.count_upload`, and BadRequest for a malformed form.
    """
    answer_limits.count_upload(asker)
    with uploads.Intake(Owner(asker.app_id, asker.end_user_id)) as intake:
        names, fields = _receive(intake)
        stored = intake.keep(names, fields.get("source"))
    answer_limits.note_upload(asker, stored.size)
    return stored


def receive_upload_or_url(asker: Asker) -> tuple[uploads.StoredUpload, bool]:
    """Store the file at the address in the form's field `url`, or else the form's file as `receive_upload` does.

    Returns it, and whether it is from an address. Raises as `receive_upload` and `remote_files.fetch`.
    """
    answer_limits.count_upload(asker)
    owner = Owner(asker.app_id, asker.end_user_id)
    with uploads.Intake(owner) as intake:
        names, fields = _receive(intake)
        url = (fields.get("url") or "").strip()
        stored = remote_files.fetch(owner, url) if url else intake.keep(names, None)
    answer_limits.note_upload(asker, stored.size)
    return stored, bool(url)


def fetch_upload(asker: Asker, url: str) -> uploads.StoredUpload:
    """Store a copy of a file on another server. Raises as `remote_files.fetch` and `answer_limits.count_upload`."""
    answer_limits.count_upload(asker)
    stored = remote_files.fetch(Owner(asker.app_id, asker.end_user_id), url)
    answer_limits.note_upload(asker, stored.size)
    return stored


def _receive(intake: uploads.Intake) -> tuple[list[str], Mapping[str, str]]:
    """Read the form; returns the names of its file fields, and its other fields.

    Werkzeug's parser is used directly, and not by `request.files`, for it takes a function that opens the target of a
    file: the content goes to the storage as it arrives, is checked on its way, and never lies in memory or on disk.
    """
    if request.mimetype != "multipart/form-data":
        raise NoFileUploaded
    most = uploads.largest_limit() + FORM_BYTES

    # Called by the parser, with these names.
    def open_part(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return cast(IO[bytes], intake.open(filename, content_type))

    parser = FormDataParser(open_part, max_form_memory_size=FORM_BYTES, max_content_length=most, silent=False)
    try:
        stream = get_input_stream(request.environ, max_content_length=most)
        _, form, files = parser.parse(stream, request.mimetype, request.content_length, request.mimetype_params)
    except RequestEntityTooLarge:
        raise FileTooLarge from None
    except ValueError:
        raise BadRequest("The form is malformed.") from None
    return [name for name, _ in files.items(multi=True)], form
