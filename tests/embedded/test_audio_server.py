"""The embedded speech server: text → speech → text, offline."""

import difflib
import io
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from app.embedded import recognizers, voices
from app.embedded.openai_servers import OpenAiServer, audio_server
from app.embedded.recognizers import PocketSphinx, UnreadableSound, whisper_model
from app.embedded.voices import ESPEAK_VOICES, Espeak, piper_weights
from app.errors import ProviderBadRequest
from app.providers.models.route_file import AudioSettings
from app.providers.models.routes import ModelRoutes
from app.services.process.audio_formats import recognise
from config import Config
from tests.support.paths import PROJECT
from tests.support.recordings import AMR, MP3, silence

SENTENCES = (
    "The quick brown fox jumps over the lazy dog. Please call me tomorrow morning at the office. "
    "We will meet at the station before lunch."
)
HEAVY = ("pocketsphinx", "espeakng_loader", "miniaudio", "numpy", "piper", "faster_whisper", "av")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def heard(text: str) -> float:
    """The share of the sentences' words that are in a text, in their order."""
    same = difflib.SequenceMatcher(None, words(SENTENCES), words(text), autojunk=False).get_matching_blocks()
    return sum(block.size for block in same) / len(words(SENTENCES))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAiServer]:
    """The process as `make run` starts it."""
    started = audio_server(Config({"DATA_DIR": str(tmp_path_factory.mktemp("audio"))}))
    started.spawn()
    try:
        started.wait()
        yield started
    finally:
        started.stop()


@pytest.fixture
def routes(server: OpenAiServer) -> ModelRoutes:
    return ModelRoutes.from_settings("", "", "", "", {}, audio=AudioSettings(server.base_url))


def say(routes: ModelRoutes, text: str, voice: str = "alloy") -> bytes:
    return b"".join(routes.speech_model().stream(text, voice))


def hear(routes: ModelRoutes, recording: bytes, extension: str = "mp3") -> str:
    return routes.transcription_model().transcribe(io.BytesIO(recording), len(recording), extension, "audio/mpeg")


@pytest.fixture
def no_better_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decode as a machine without the list speech.txt does."""
    monkeypatch.setattr(recognizers, "decode", recognizers._decode_some)


def test_the_light_pair_gives_most_words_back(no_better_pair: None) -> None:
    sound = b"".join(Espeak().speak(SENTENCES, "alloy"))
    assert heard(PocketSphinx().transcribe(sound)) > 0.4


@pytest.mark.skipif(
    not (piper_weights() and whisper_model()), reason="the better pair (app/requirements/speech.txt) is not installed"
)
def test_the_better_pair_gives_the_words_back(routes: ModelRoutes) -> None:
    # The voice is never quite the same: now and then one word of 25 is misheard.
    assert heard(hear(routes, say(routes, SENTENCES))) > 0.9


def test_speech_is_mp3_and_silence_has_no_words(routes: ModelRoutes) -> None:
    sound = say(routes, "Good morning, everybody.")
    assert recognise(sound[:64]).extension == "mp3"
    assert len(sound) > 4_000
    assert len(hear(routes, silence(1.0), "wav").split()) <= 1


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        *ESPEAK_VOICES.items(),
        ("de", "de"),
        ("en-gb-x-rp+f3", "en-gb-x-rp+f3"),
        ("nobody", "en-us"),
        ("../../etc/passwd", "en-us"),
        ("", "en-us"),
    ],
)
def test_openais_voices_and_espeaks_own_may_be_named(wanted: str, chosen: str) -> None:
    assert Espeak().choose(wanted) == chosen


@pytest.mark.parametrize("text", ["", "\0", "🙂", "<speak>tags & ampersands</speak>", "[[hello]]", "你好", "a" * 4_096])
def test_no_text_breaks_the_speech_engine(text: str) -> None:
    assert isinstance(b"".join(Espeak().speak(text, "alloy")), bytes)


@pytest.mark.parametrize("recording", [b"", b"no audio at all", AMR[:10], b"RIFF\x00\x00\x00\x00WAVE", MP3[:3]])
def test_what_cannot_be_decoded_is_refused(routes: ModelRoutes, recording: bytes) -> None:
    with pytest.raises(ProviderBadRequest):
        hear(routes, recording)


def test_a_recording_without_an_end_is_refused(no_better_pair: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizers, "MOST_SECONDS", 1)
    with pytest.raises(UnreadableSound, match="longer than"):
        PocketSphinx().transcribe(silence(1.5))


def test_long_speech_is_transcribed_in_parts(no_better_pair: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizers, "UTTERANCE_BYTES", 5 * 2 * 16_000)
    assert heard(PocketSphinx().transcribe(b"".join(Espeak().speak(SENTENCES, "alloy")))) > 0.2


@pytest.mark.parametrize(
    ("path", "request_of", "status"),
    [
        ("/audio/speech", {"json": {"input": "x" * 4_097, "voice": "alloy"}}, 422),
        ("/audio/speech", {"json": {"input": "", "voice": "a"}}, 422),
        ("/audio/speech", {"json": {"input": "hi"}}, 422),
        ("/audio/speech", {"json": []}, 422),
        ("/audio/speech", {"data": "x"}, 415),
        ("/audio/speech", {"json": {"input": "hi", "voice": "alloy", "response_format": "opus"}}, 422),
        ("/audio/transcriptions", {"data": {"model": "x"}}, 422),
        ("/audio/translations", {}, 404),
    ],
)
def test_a_bad_request_is_refused_as_openai_does(
    server: OpenAiServer, path: str, request_of: dict, status: int
) -> None:
    answer = requests.post(server.base_url + path, timeout=10, **request_of)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, "invalid_request_error")


def test_it_costs_little_before_it_is_used() -> None:
    code = f"import sys, app.embedded.audio_server; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_weights_that_are_not_the_tested_ones_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voices, "PIPER_SHA256", "0" * 64)
    assert piper_weights() is None
