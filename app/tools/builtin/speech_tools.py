"""The provider `audio`: speech and transcription by the routes of the audio models."""

import io
import time
from collections.abc import Callable, Mapping
from typing import Any

from app.errors import ProviderError
from app.providers.cancellation import Cancellation
from app.providers.models.routes import ModelRoutes
from app.tools.builtin.builtin_tool import BuiltinProvider, file_tool, provider, text, tool
from app.tools.tool_types import ReadFile, ToolAnswer, ToolFailed, ToolFile

LONGEST_TEXT = 20_000
LARGEST_SPEECH = 50 * 1024 * 1024
LARGEST_RECORDING = 30 * 1024 * 1024


def audio_provider(routes: Callable[[], ModelRoutes]) -> BuiltinProvider:
    """Return the provider; `routes` is called when a model is asked."""
    return provider(
        "🔊",
        tool(
            "tts",
            "Speaks a text.",
            {"en_US": "Text to speech", "zh_Hans": "文本转语音"},
            lambda arguments, seconds, cancellation: _speak(routes(), arguments, seconds, cancellation),
            ("text",),
            text=("string", "The text"),
            voice=("string", "The name of a voice"),
        ),
        file_tool(
            "asr",
            "Turns a recording into text.",
            {"en_US": "Speech to text", "zh_Hans": "语音转文本"},
            lambda read: (
                lambda arguments, seconds, cancellation: _transcribe(routes(), read, arguments, seconds, cancellation)
            ),
            ("audio_file",),
            audio_file=("", "The recording"),
        ),
    )


def _speak(routes: ModelRoutes, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
    words = text(arguments, "text").strip()
    if not words:
        raise ToolFailed("The text is empty.")
    if len(words) > LONGEST_TEXT:
        raise ToolFailed(f"The text is longer than {LONGEST_TEXT} characters.")
    sound = b""
    try:
        model = routes.speech_model()
        for piece in model.stream(
            words, model.voice(text(arguments, "voice")), cancellation, time.monotonic() + seconds
        ):
            sound += piece
            if len(sound) > LARGEST_SPEECH:
                raise ToolFailed("The speech is too long.")
    except ProviderError as error:
        raise ToolFailed(error.message) from None
    return ToolAnswer(files=[ToolFile("speech.mp3", sound, "audio/mpeg")])


def _transcribe(
    routes: ModelRoutes,
    read: ReadFile,
    arguments: Mapping[str, Any],
    seconds: float,
    cancellation: Cancellation,
) -> str:
    given = arguments.get("audio_file")
    given = given[0] if isinstance(given, list) and given else given
    if not isinstance(given, Mapping):
        raise ToolFailed("audio_file must be a file.")
    file = read(given, LARGEST_RECORDING, seconds, cancellation)
    extension = file.name.rpartition(".")[2] or "mp3"
    recording, deadline = io.BytesIO(file.content), time.monotonic() + seconds
    try:
        return routes.transcription_model().transcribe(
            recording, len(file.content), extension, file.mime_type, deadline, cancellation
        )
    except ProviderError as error:
        raise ToolFailed(error.message) from None
