"""Speak a text, or a message's answer (contract endpoints.md, POST /text-to-audio)."""

import time
import uuid
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from flask import current_app

from app.errors import InvalidParam, ProviderProtocolError
from app.models.messages import find_answer
from app.models.owners import Owner
from app.providers.models.audio import SpeechModel
from app.services.definitions.published_apps import PublishedApp
from app.services.process.providers import model_routes
from app.services.process.sentences import pieces
from app.services.process.silence import LEAD_SECONDS, SILENCE

# Some hours of speech: limits what one request can cost.
MOST_CHARACTERS = 100_000


class Speech:
    """MP3 data as it arrives, behind a silence. Has to be closed, whether it was read or not."""

    def __init__(self, first: bytes, rest: Generator[bytes]) -> None:
        self._first, self._rest = first, rest

    def __iter__(self) -> Iterator[bytes]:
        yield SILENCE
        time.sleep(LEAD_SECONDS)
        yield self._first
        yield from self._rest

    def close(self) -> None:
        self._rest.close()


@dataclass(frozen=True)
class Wanted:
    """What to speak: a message's answer, or else a text.

    Without `voice` the app's own is used, and without that the model's default one.
    """

    message_id: str | None = None
    text: str = ""
    voice: str = ""


def speak(app: PublishedApp, end_user_id: uuid.UUID, wanted: Wanted) -> Speech | None:
    """Begin to speak; return None where the message is not the end user's or has no answer.

    The first piece is awaited here, so that each refusal is an HTTP error.
    Raises InvalidParam, ProviderError, AppUnavailable.
    """
    text = (
        wanted.text if wanted.message_id is None else find_answer(Owner(app.id, end_user_id), wanted.message_id) or ""
    )
    if not text.strip():
        if wanted.message_id is None:
            raise InvalidParam("Text is required")
        return None
    if len(text) > MOST_CHARACTERS:
        raise InvalidParam(f"Text must be at most {MOST_CHARACTERS} characters long")
    feature = app.definition.features(app.mode).text_to_speech
    if not feature.enabled:
        raise InvalidParam("TTS is not enabled")
    model = model_routes().speech_model()
    voice = model.voice(wanted.voice, feature.voice)
    sound = _say(model, text, voice, time.monotonic() + current_app.config["MAX_RUN_SECONDS"])
    first = next(sound, b"")
    if not first:
        raise ProviderProtocolError
    return Speech(first, sound)


def _say(model: SpeechModel, text: str, voice: str, deadline: float) -> Generator[bytes]:
    for piece in pieces(text):
        yield from model.stream(piece, voice, deadline=deadline)
