"""Turn a recording into text (contract endpoints.md, POST /audio-to-text)."""

import time
from typing import BinaryIO, NamedTuple

from flask import current_app

from app.errors import AudioTooLarge, InvalidParam, UnsupportedAudioType
from app.services.definitions.published_apps import PublishedApp
from app.services.process import audio_formats
from app.services.process.providers import model_routes

LARGEST_RECORDING = 30 * 1024 * 1024


class Recording(NamedTuple):
    """What an end user sends: the data, its size in bytes, and the media type that the client declares."""

    file: BinaryIO
    size: int
    media_type: str


def transcribe(app: PublishedApp, recording: Recording) -> str:
    """Return the text of a recording, which is not stored.

    Raises InvalidParam, UnsupportedAudioType, AudioTooLarge, ProviderError, AppUnavailable.
    """
    if not app.definition.features(app.mode).speech_to_text.enabled:
        raise InvalidParam("Speech to text is not enabled")
    recording.file.seek(0)
    found = audio_formats.recognise(recording.file.read(audio_formats.HEAD_BYTES))
    if found is None or not audio_formats.is_accepted(recording.media_type):
        raise UnsupportedAudioType
    if recording.size > LARGEST_RECORDING:
        raise AudioTooLarge
    model = model_routes().transcription_model()
    deadline = time.monotonic() + current_app.config["MAX_RUN_SECONDS"]
    return model.transcribe(recording.file, recording.size, *found, deadline=deadline)
