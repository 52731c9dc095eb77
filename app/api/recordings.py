"""Read the recording in a form (contract endpoints.md, POST /audio-to-text)."""

import os
from typing import BinaryIO, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import AudioTooLarge, NoAudioUploaded, TooManyFiles
from app.services.visitor.transcription import LARGEST_RECORDING, Recording

PART = "file"
# The most that a form may hold beside its recording: boundaries, headers, fields.
FORM_BYTES = 1024 * 1024


def parse_recording() -> Recording:
    """Return the part `file`; others are ignored. From half a megabyte on it is in a temporary file.

    Raises NoAudioUploaded, TooManyFiles, AudioTooLarge (for a form that is far too long, before it is read).
    """
    request.max_content_length = LARGEST_RECORDING + FORM_BYTES
    try:
        parts = request.files.getlist(PART)
    except RequestEntityTooLarge:
        raise AudioTooLarge from None
    if len(parts) > 1:
        raise TooManyFiles
    for part in parts:
        size = part.stream.seek(0, os.SEEK_END)
        if size:
            return Recording(cast(BinaryIO, part.stream), size, part.content_type or "")
    raise NoAudioUploaded
