"""What `flask models check` tries, and what it says of it."""

import pathlib
from collections.abc import Iterator

import pytest

from app.providers.models.model_checks import check
from app.providers.models.routes import ModelRoutes
from tests.support.raw_server import CHUNKED, LAST, RawServer, chunked, frame, say
from tests.support.scripted_model import ScriptedModel

TABLE = """
endpoints:
  open: {base_url: $OPEN_URL, retries: 0}
  locked: {base_url: https://api.example.com/v1, api_key: $LOCKED_KEY}
models:
  - {provider: openai, name: talker, endpoint: open}
  - {provider: openai, name: instruct, kind: completion, endpoint: open}
  - {provider: openai, name: text-small, kind: embedding, endpoint: open}
  - {provider: openai, name: reranker, kind: rerank, endpoint: open}
  - {provider: openai, name: tts, kind: speech, endpoint: open, voices: [nova]}
  - {provider: openai, name: whisper, kind: transcription, endpoint: open}
  - {provider: openai, name: "any*", endpoint: open}
  - {provider: openai, name: locked, endpoint: locked}
"""
TALKER, INSTRUCT, EMBEDDER, RERANKER, SPEAKER, LISTENER, ANY, LOCKED = range(8)
NO_PATH = b"HTTP/1.1 501 No\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with ScriptedModel() as started:
        yield started


def result(folder: pathlib.Path, base_url: str, line: int, seconds: float = 5.0) -> tuple[bool, str]:
    (folder / "models.yml").write_text(TABLE)
    routes = ModelRoutes.from_settings(str(folder / "models.yml"), "", "", "", {"OPEN_URL": base_url})
    found = check(routes, routes.describe()[line], seconds)
    assert found.failed is (found.seconds is None)
    assert found.failed or 0 < (found.seconds or 0) < seconds
    return not found.failed, found.said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (TALKER, "answers, and takes tools"),
        (INSTRUCT, "answers"),
        (EMBEDDER, "makes vectors of 64 dimensions"),
        (RERANKER, "ranks"),
        (SPEAKER, "speaks"),
        (LISTENER, "transcribes"),
        (ANY, "not tried: the route names no model; the server lists its models"),
    ],
)
def test_each_kind_is_tried(tmp_path: pathlib.Path, server: ScriptedModel, line: int, said: str) -> None:
    assert result(tmp_path, server.base_url, line) == (True, said)


def test_what_is_tried_is_little(tmp_path: pathlib.Path, server: ScriptedModel) -> None:
    for line in range(ANY + 1):
        result(tmp_path, server.base_url, line)

    talk, completion = server.requests
    assert (talk.body["max_tokens"], talk.body["tools"][0]["function"]["name"]) == (1, "current_time")
    assert "tools" not in completion.body
    speech, hearing = server.audio_requests
    assert (speech.body["input"], speech.body["voice"]) == ("Yes.", "nova")
    assert 30_000 < len(hearing.content) < 40_000
    assert [request.body["model"] for request in server.vector_requests] == ["text-small", "reranker"]


def test_a_model_without_tools_is_told(tmp_path: pathlib.Path, server: ScriptedModel) -> None:
    server.script(error="tools_refused")

    assert result(tmp_path, server.base_url, TALKER) == (True, "answers; refuses tools, so agents use ReAct")


def test_a_model_that_thinks_first_is_there(tmp_path: pathlib.Path) -> None:
    with RawServer(say(CHUNKED + chunked(frame("", "length")) + LAST)) as thinker:
        assert result(tmp_path, thinker.base_url, TALKER) == (True, "answers, and takes tools")


@pytest.mark.parametrize(
    ("line", "made"),
    [
        (EMBEDDER, "embeddings"),
        (RERANKER, "rankings"),
        (SPEAKER, "speech"),
        (LISTENER, "transcriptions"),
        (INSTRUCT, "completions"),
    ],
)
def test_what_a_server_does_not_make_is_told(tmp_path: pathlib.Path, line: int, made: str) -> None:
    with RawServer(say(NO_PATH)) as server:
        assert result(tmp_path, server.base_url, line) == (False, f"This server makes no {made}.")
    with RawServer(say(NO_PATH.replace(b"501", b"404"))) as server:
        ok, said = result(tmp_path, server.base_url, line)
        assert not ok and said.endswith(f"makes no {made}.")


def test_a_server_without_a_list_of_models_is_not_blamed(tmp_path: pathlib.Path) -> None:
    with RawServer(say(NO_PATH)) as server:
        assert result(tmp_path, server.base_url, ANY) == (
            True,
            "not tried: the route names no model; the server answers, but has no list of models",
        )


def test_what_is_wrong_is_told(tmp_path: pathlib.Path, server: ScriptedModel) -> None:
    assert result(tmp_path, server.base_url, LOCKED) == (False, "locked: LOCKED_KEY is not set.")
    server.script(error="bad_key")
    assert result(tmp_path, server.base_url, TALKER) == (False, "Incorrect API key provided")
    server.script("x", hang=True)
    assert result(tmp_path, server.base_url, TALKER, 0.1) == (False, "The model did not answer in time.")
    assert result(tmp_path, "http://127.0.0.1:1/v1", ANY) == (False, "The model server cannot be reached.")
