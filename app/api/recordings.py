"""The recording in a form (contract endpoints.md, POST /audio-to-text)."""

import os
from typing import BinaryIO, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import AudioTooLarge, NoAudioUploaded, TooManyFiles
from app.services.visitor.transcription import LARGEST_RECORDING, Recording

PART = "file"
# For the form around the recording: boundaries, headers, fields that nobody asked for.
AROUND = 1024 * 1024


def parse_recording() -> Recording:
    """The part `file`; others are ignored. From half a megabyte on it lies in a temporary file.

    Raises NoAudioUploaded, TooManyFiles, AudioTooLarge (of a form that is far too long, before it is read).
    """
    request.max_content_length = LARGEST_RECORDING + AROUND
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
