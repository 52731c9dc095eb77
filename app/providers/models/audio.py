"""Speaking and listening behind OpenAI's protocol: `/audio/speech` and `/audio/transcriptions`.

By the thin HTTP client of the chat calls, not the `openai` SDK: web processes answer these two operations, and they never load the SDK.
"""

from collections.abc import Generator, Sequence
from typing import BinaryIO

import orjson

from app.errors import (
    NoVoiceAvailable,
    ProviderBadRequest,
    ProviderError,
    ProviderProtocolError,
    SpeechToTextNotSupported,
)
from app.providers.cancellation import Cancellation, Patience
from app.providers.http.multipart_forms import MultipartForm
from app.providers.models.endpoint import Endpoint, Response
from app.providers.models.model_failures import error_in, failure_of_answer, failure_of_frame

USUAL_VOICE = "alloy"
LARGEST_TRANSCRIPT = 4_194_304
# What a server answers that does not have the path at all; a model that it does not know is told by name.
NO_SUCH_PATH = (404, 405, 501)


class SpeechModel:
    """One configured voice synthesiser. Raises only ProviderError and its children, and Cancelled."""

    def __init__(self, endpoint: Endpoint, name: str, voices: Sequence[str] | None = None) -> None:
        self.name = name
        self._endpoint = endpoint
        self._voices = voices

    def voice(self, *wanted: str) -> str:
        """The first wanted voice that this model has, else its usual one. Raises NoVoiceAvailable."""
        named = [voice for voice in wanted if voice and (self._voices is None or voice in self._voices)]
        usual = (USUAL_VOICE,) if self._voices is None else self._voices
        for voice in (*named, *usual):
            return voice
        raise NoVoiceAvailable

    def stream(
        self, text: str, voice: str, cancellation: Cancellation | None = None, deadline: float | None = None
    ) -> Generator[bytes]:
        """Yield MP3 as it comes; all of it together is one recording. The deadline is in monotonic seconds.

        Closing the iterator closes the connection to the model.
        """
        try:
            content = orjson.dumps({"model": self.name, "input": text, "voice": voice, "response_format": "mp3"})
        except TypeError:  # a lone surrogate in the text
            raise ProviderBadRequest from None
        response = self._endpoint.post("/audio/speech", content, Patience(cancellation or Cancellation(), deadline))
        try:
            _check(response)
            if response.media_type == "application/json":
                raise _failure(response.read_document())
            while (piece := response.read()) is not None:
                if piece:
                    yield piece
            response.finish()
        finally:
            response.close()


class TranscriptionModel:
    """One configured listener. Raises only ProviderError and its children, and Cancelled."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.name = name
        self._endpoint = endpoint

    def transcribe(
        self, recording: BinaryIO, size: int, extension: str, media_type: str, deadline: float | None = None
    ) -> str:
        """The words of a recording of so many bytes. Servers go by the file's extension. The deadline is in monotonic seconds."""
        form = MultipartForm(
            {"model": self.name, "response_format": "json"}, f"recording.{extension}", media_type, recording, size
        )
        response = self._endpoint.post_form("/audio/transcriptions", form, Patience(Cancellation(), deadline))
        try:
            if response.status in NO_SUCH_PATH:
                refusal = response.read_document()
                if b"model" not in refusal:
                    raise SpeechToTextNotSupported
                raise failure_of_answer(response.status, refusal)
            _check(response)
            content = _whole(response)
            response.finish()
        finally:
            response.close()
        return _text(content)


def _check(response: Response) -> None:
    """Raise what a refusal means."""
    if response.status != 200:
        raise failure_of_answer(response.status, response.read_document())


def _whole(response: Response) -> bytes:
    content = b""
    while (piece := response.read()) is not None:
        content += piece
        if len(content) > LARGEST_TRANSCRIPT:
            raise ProviderProtocolError
    return content


def _text(content: bytes) -> str:
    try:
        text = orjson.loads(content)["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise _failure(content) from None
    if not isinstance(text, str):
        raise ProviderProtocolError
    return text.strip()


def _failure(content: bytes) -> ProviderError:
    """What is meant by JSON that came with status 200 and is not what was asked for."""
    try:
        error = error_in(orjson.loads(content))
    except orjson.JSONDecodeError:
        error = None
    return ProviderProtocolError() if error is None else failure_of_frame(error)
