"""Speech and transcription by OpenAI's protocol."""

import io
import pathlib
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from app.errors import (
    AppError,
    InvalidParam,
    ModelNotFound,
    NoVoiceAvailable,
    ProviderAuthFailed,
    ProviderBadRequest,
    ProviderNotInitialize,
    ProviderProtocolError,
    ProviderQuotaExceeded,
    ProviderServerError,
    ProviderTimeout,
    ProviderUnreachable,
    SpeechToTextNotSupported,
)
from app.providers.models.audio import SpeechModel, TranscriptionModel
from app.providers.models.endpoint import Endpoint
from app.providers.models.route_file import AudioSettings
from app.providers.models.routes import ModelRoutes
from tests.support.raw_server import LAST, RawServer, chunked, read_request, say, say_and_close
from tests.support.scripted_model import ScriptedModel
from tests.support.scripted_model.audio import form_fields, spoken

JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
REFUSALS = [
    ("quota", ProviderQuotaExceeded),
    ("bad_key", ProviderAuthFailed),
    ("model_not_found", ModelNotFound),
    ("server_error", ProviderServerError),
]


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with ScriptedModel() as started:
        yield started


@pytest.fixture
def routes(server: ScriptedModel) -> ModelRoutes:
    return ModelRoutes.from_settings("", server.base_url, "key", "chatty", {}, read_timeout=5.0)


def as_json(content: bytes) -> bytes:
    return JSON + b"Content-Length: %d\r\n\r\n%b" % (len(content), content)


def speech_of(raw: RawServer) -> SpeechModel:
    return SpeechModel(Endpoint(raw.base_url, read_timeout=5.0), "tts-1")


def hear(model: TranscriptionModel, content: bytes, deadline: float | None = None) -> str:
    return model.transcribe(io.BytesIO(content), len(content), "webm", "audio/webm", deadline)


def test_a_text_is_spoken_piece_by_piece(server: ScriptedModel, routes: ModelRoutes) -> None:
    pieces = list(routes.speech_model().stream("Hello there. [[delay:5]]", "nova"))

    assert b"".join(pieces) == spoken("Hello there. [[delay:5]]", "nova")
    assert len(pieces) > 1
    assert server.audio_requests[0].headers["authorization"] == "Bearer key"
    assert server.audio_requests[0].body == {
        "model": "tts-1",
        "input": "Hello there. [[delay:5]]",
        "voice": "nova",
        "response_format": "mp3",
    }


@pytest.mark.parametrize(("error", "kind"), REFUSALS)
def test_a_refusal_to_speak_has_an_error(routes: ModelRoutes, error: str, kind: type[AppError]) -> None:
    with pytest.raises(kind):
        list(routes.speech_model().stream(f"[[fail:{error}]]", "alloy"))


def test_speech_that_is_cut_off_is_an_error_behind_what_came(routes: ModelRoutes) -> None:
    pieces = routes.speech_model().stream("[[fail-after:1]]", "alloy")
    assert next(pieces)
    with pytest.raises(ProviderProtocolError):
        list(pieces)


def test_silence_ends_at_the_deadline(routes: ModelRoutes) -> None:
    with pytest.raises(ProviderTimeout):
        list(routes.speech_model().stream("[[hang]]", "alloy", deadline=time.monotonic() + 0.05))


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"error": {"code": "insufficient_quota"}}', ProviderQuotaExceeded),
        (b"{}", ProviderProtocolError),
        (b"<", ProviderProtocolError),
    ],
)
def test_json_is_no_speech(body: bytes, kind: type[AppError]) -> None:
    with RawServer(say(as_json(body))) as raw, pytest.raises(kind):
        list(speech_of(raw).stream("Hi", "alloy"))


def test_an_invalid_text_is_refused_before_it_is_sent(server: ScriptedModel, routes: ModelRoutes) -> None:
    with pytest.raises(ProviderBadRequest):
        list(routes.speech_model().stream("\ud800", "alloy"))
    assert server.audio_requests == []


def test_leaving_early_closes_the_connection(server: ScriptedModel, routes: ModelRoutes) -> None:
    pieces = routes.speech_model().stream("[[delay:200]]", "alloy")
    next(pieces)
    pieces.close()
    server.wait_for(lambda it: it.audio_requests[0].closed_early is not None)


def test_a_recording_is_sent_as_a_form(server: ScriptedModel, routes: ModelRoutes) -> None:
    assert hear(routes.transcription_model(), b"[[say:hello world ]]") == "hello world"
    assert form_fields(server.audio_requests[0]) == {
        "model": b"whisper-1",
        "response_format": b"json",
        "file": b"[[say:hello world ]]",
        "filename": b"recording.webm",
        "type": b"audio/webm",
    }


@pytest.mark.parametrize(("error", "kind"), REFUSALS)
def test_a_refusal_to_listen_has_an_error(routes: ModelRoutes, error: str, kind: type[AppError]) -> None:
    with pytest.raises(kind):
        hear(routes.transcription_model(), f"[[fail:{error}]]".encode())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found", SpeechToTextNotSupported),
        (b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", SpeechToTextNotSupported),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nUnknown model", ModelNotFound),
        (as_json(b'{"error": {"code": "insufficient_quota"}}'), ProviderQuotaExceeded),
        (as_json(b'{"text": 5}'), ProviderProtocolError),
        (as_json(b'["text"]'), ProviderProtocolError),
        (as_json(b"hello"), ProviderProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", ProviderProtocolError),
    ],
)
def test_what_is_no_transcript_is_an_error(answer: bytes, kind: type[AppError]) -> None:
    with RawServer(say_and_close(answer)) as raw, pytest.raises(kind):
        hear(TranscriptionModel(Endpoint(raw.base_url), "whisper-1"), b"x")


def test_a_transcript_without_an_end_is_given_up() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        RawServer(say_and_close(head, chunked(b"x" * 1_000_000) * 5, LAST)) as raw,
        pytest.raises(ProviderProtocolError),
    ):
        hear(TranscriptionModel(Endpoint(raw.base_url), "whisper-1"), b"x")


def test_a_kept_connection_that_died_costs_no_recording() -> None:
    recording = b"a" * 300_000

    def once(connection) -> None:
        read_request(connection)
        connection.sendall(as_json(b'{"text": "one"}'))
        connection.close()

    with RawServer(once, say(as_json(b'{"text": "two"}'))) as raw:
        model = TranscriptionModel(Endpoint(raw.base_url), "whisper-1")
        assert [hear(model, recording), hear(model, recording)] == ["one", "two"]


def test_a_long_recording_is_not_held_in_memory(
    server: ScriptedModel, routes: ModelRoutes, tmp_path: pathlib.Path
) -> None:
    size = 30 * 1024 * 1024
    file = tmp_path / "recording"
    with file.open("wb") as output:
        output.truncate(size)
    taken: list[int] = []

    def receive(connection) -> None:
        tail = b""
        while not tail.endswith(b"--\r\n"):
            data = connection.recv(1_000_000)
            tail = (tail + data)[-8:]
            taken.append(len(data))
        connection.sendall(as_json(b'{"text": ""}'))

    with RawServer(receive) as raw, file.open("rb") as recording:
        tracemalloc.start()
        try:
            TranscriptionModel(Endpoint(raw.base_url), "whisper-1").transcribe(recording, size, "mp3", "audio/mpeg")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 5_000_000
    assert sum(taken) >= size


@pytest.mark.parametrize(
    ("voices", "wanted", "voice"),
    [
        (None, (), "alloy"),
        (None, ("", "bella"), "bella"),
        (["a", "b"], (), "a"),
        (["a", "b"], ("b",), "b"),
        (["a", "b"], ("x", "b"), "b"),
        (["a", "b"], ("x", "y"), "a"),
    ],
)
def test_the_first_voice_that_the_model_has_is_used(
    voices: list[str] | None, wanted: tuple[str, ...], voice: str
) -> None:
    assert SpeechModel(Endpoint("http://unused.test"), "tts-1", voices).voice(*wanted) == voice


def test_a_model_without_voices_says_so() -> None:
    with pytest.raises(NoVoiceAvailable) as caught:
        SpeechModel(Endpoint("http://unused.test"), "tts-1", []).voice("alloy")
    assert isinstance(caught.value, InvalidParam)


def test_without_a_server_there_is_no_speech_and_no_transcription() -> None:
    routes = ModelRoutes.from_settings("", "", "", "", {})
    for kind in (routes.speech_model, routes.transcription_model):
        with pytest.raises(ProviderNotInitialize):
            kind()


def test_an_audio_server_of_its_own_gets_its_own_key(server: ScriptedModel) -> None:
    audio = AudioSettings(server.base_url, "audio-key", "kokoro", "parakeet", ("bella", "george"))
    routes = ModelRoutes.from_settings("", "http://unused.test", "sk-chat", "chatty", {}, audio=audio)
    model = routes.speech_model()
    list(model.stream("Hi", model.voice()))
    hear(routes.transcription_model(), b"x")
    assert [request.headers["authorization"] for request in server.audio_requests] == ["Bearer audio-key"] * 2
    assert server.audio_requests[0].body["model"] == "kokoro" and server.audio_requests[0].body["voice"] == "bella"
    assert form_fields(server.audio_requests[1])["model"] == b"parakeet"


def test_an_audio_server_alone_serves_no_chat(server: ScriptedModel) -> None:
    routes = ModelRoutes.from_settings("", "", "", "", {}, audio=AudioSettings(server.base_url))
    assert list(routes.speech_model().stream("Hi", "alloy"))
    with pytest.raises(ProviderNotInitialize):
        routes.chat_model("openai", "gpt-4")


@pytest.mark.parametrize(
    ("lines", "remote"),
    [
        ("models:\n  - {provider: openai, name: tts-hd, kind: speech, endpoint: here}\n", "tts-hd"),
        ("default:\n  speech: {endpoint: here, remote_name: bark}\n", "bark"),
        (
            "models:\n  - {provider: x, name: y, kind: speech, endpoint: here}\n"
            "default:\n  speech: {endpoint: here, remote_name: z}\n",
            "z",
        ),
    ],
)
def test_a_file_says_who_speaks(tmp_path: pathlib.Path, server: ScriptedModel, lines: str, remote: str) -> None:
    file = tmp_path / "models.yml"
    file.write_text(f"endpoints:\n  here: {{base_url: {server.base_url}}}\n{lines}")
    routes = ModelRoutes.from_settings(str(file), "", "", "", {})
    list(routes.speech_model().stream("Hi", "alloy"))
    assert server.audio_requests[0].body["model"] == remote
    with pytest.raises(ProviderNotInitialize):
        routes.transcription_model()


def test_a_server_that_is_away_is_told() -> None:
    with RawServer() as raw:
        endpoint = Endpoint(raw.base_url, connect_timeout=1.0)
    with pytest.raises(ProviderUnreachable):
        list(SpeechModel(endpoint, "tts-1").stream("Hi", "alloy"))
