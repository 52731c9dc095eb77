"""Call speech and transcription models by OpenAI's protocol: `/audio/speech` and `/audio/transcriptions`.

They use the HTTP client of the chat calls, not the `openai` SDK: web processes serve these two operations, and the SDK
would cost each of them its memory.
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
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.http.multipart_forms import MultipartForm
from app.providers.models.call_records import recorded
from app.providers.models.endpoint import Endpoint, Response
from app.providers.models.model_failures import CallDescription, error_in, failure_of_event, failure_of_response

DEFAULT_VOICE = "alloy"
LARGEST_TRANSCRIPT = 4_194_304
# Statuses of a server without this path. Some answer 404 to an unknown model, too, but then speak of the model.
NO_SUCH_PATH = (404, 405, 501)


class SpeechModel:
    """One configured speech model. Raises only ProviderError and its children, and Cancelled.

    `voices`: the names that the model knows, its default first; None where any name may be sent.
    """

    def __init__(self, endpoint: Endpoint, name: str, voices: Sequence[str] | None = None) -> None:
        self.name = name
        self._endpoint = endpoint
        self._voices = voices

    def voice(self, *wanted: str) -> str:
        """Return the first wanted voice that this model has, else its default. Raises NoVoiceAvailable."""
        named = [voice for voice in wanted if voice and (self._voices is None or voice in self._voices)]
        defaults = (DEFAULT_VOICE,) if self._voices is None else self._voices
        for voice in (*named, *defaults):
            return voice
        raise NoVoiceAvailable

    def stream(
        self, text: str, voice: str, cancellation: Cancellation | None = None, deadline: float | None = None
    ) -> Generator[bytes]:
        """Yield MP3 as it comes; the pieces joined are one recording. The deadline is in monotonic seconds.

        Closing the iterator closes the connection to the model.
        """
        try:
            content = orjson.dumps({"model": self.name, "input": text, "voice": voice, "response_format": "mp3"})
        except TypeError:  # a lone surrogate in the text
            raise ProviderBadRequest from None
        scope, call = CancelScope(cancellation or Cancellation(), deadline), self._endpoint.describe(self.name, text)
        with recorded(self._endpoint.name, "speech", self.name):
            response = self._endpoint.post("/audio/speech", content, scope)
            try:
                _check(response, call)
                # Some servers report a failure with status 200.
                if response.media_type == "application/json":
                    raise _failure(response.read_document(), call)
                while (piece := response.read()) is not None:
                    if piece:
                        yield piece
                response.finish()
            finally:
                response.close()


class TranscriptionModel:
    """One configured transcription model. Raises only ProviderError and its children, and Cancelled."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.name = name
        self._endpoint = endpoint

    def transcribe(
        self,
        recording: BinaryIO,
        size: int,
        extension: str,
        media_type: str,
        deadline: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> str:
        """Return the text of a recording of `size` bytes. The deadline is in monotonic seconds.

        Servers tell the format by the extension of the file's name.
        """
        form = MultipartForm(
            {"model": self.name, "response_format": "json"}, f"recording.{extension}", media_type, recording, size
        )
        with recorded(self._endpoint.name, "transcription", self.name):
            return self._ask(form, CancelScope(cancellation or Cancellation(), deadline))

    def _ask(self, form: MultipartForm, scope: CancelScope) -> str:
        response = self._endpoint.post_form("/audio/transcriptions", form, scope)
        call = self._endpoint.describe(self.name, "")
        try:
            if response.status in NO_SUCH_PATH:
                refusal = response.read_document()
                if b"model" not in refusal:
                    raise SpeechToTextNotSupported
                raise failure_of_response(response.status, refusal, call)
            _check(response, call)
            content = _read_all(response)
            response.finish()
        finally:
            response.close()
        return _transcript(content, call)


def _check(response: Response, call: CallDescription) -> None:
    """Raise the error that a response of another status than 200 stands for."""
    if response.status != 200:
        raise failure_of_response(response.status, response.read_document(), call)


def _read_all(response: Response) -> bytes:
    """Read a response up to its limit. Raises ProviderProtocolError for a longer one."""
    content = b""
    while (piece := response.read()) is not None:
        content += piece
        if len(content) > LARGEST_TRANSCRIPT:
            raise ProviderProtocolError
    return content


def _transcript(content: bytes, call: CallDescription) -> str:
    try:
        text = orjson.loads(content)["text"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise _failure(content, call) from None
    if not isinstance(text, str):
        raise ProviderProtocolError
    return text.strip()


def _failure(content: bytes, call: CallDescription) -> ProviderError:
    """Return the error for unexpected JSON that came with status 200."""
    try:
        error = error_in(orjson.loads(content))
    except orjson.JSONDecodeError:
        error = None
    return ProviderProtocolError() if error is None else failure_of_event(error, call)
