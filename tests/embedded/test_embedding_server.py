"""The embedded embedding server: vectors by OpenAI's protocol that find what is meant, in several languages."""

import json
import pathlib
import threading
from collections.abc import Iterator

import psutil
import pytest
import requests

from app.embedded import embedding_engine
from app.embedded.embedding_engine import MODEL, NoEngine, as_read
from app.embedded.openai_servers import OpenAiServer, embedding_server
from app.errors import ProviderBadRequest
from app.providers.cancellation import Cancellation
from app.providers.models.route_file import EmbeddingSettings
from app.providers.models.routes import ModelRoutes
from config import Config

pytestmark = pytest.mark.skipif(not embedding_engine.is_installed(), reason="the package is for x86-64 Linux")

RULES = (
    "You have 30 days of paid vacation a year. Ask two weeks ahead.",
    "If you are ill, call the office before nine.",
    "Lost your key card? Tell the front desk at once, so that it can be blocked.",
    "You may work from home up to three days a week, if your team agrees.",
    "The guest network is called Harbour; its password hangs in the kitchen.",
)
QUESTIONS = (
    ("How much time off do I get?", 0),
    ("Wie viel Urlaub habe ich?", 0),
    ("J'ai la grippe, que faire ?", 1),
    ("Mein Ausweis ist weg", 2),
    ("我的工牌不见了", 2),
    ("家で仕事してもいい？", 3),
    ("Как гостю подключиться к интернету?", 4),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenAiServer]:
    """The process as `make run` starts it."""
    started = embedding_server(Config({"DATA_DIR": str(tmp_path_factory.mktemp("embedding"))}))
    started.spawn()
    try:
        started.wait()
        yield started
    finally:
        started.stop()


def embed(server: OpenAiServer, *texts: str) -> list:
    settings = EmbeddingSettings(server.base_url, "", server.settings["EMBEDDING_MODEL"])
    routes = ModelRoutes.from_settings("", "", "", "", {}, embedding=settings)
    return routes.embedding_model("openai", "text-embedding-3-small").embed(texts, Cancellation())


def post(server: OpenAiServer, body: object) -> requests.Response:
    return requests.post(f"{server.base_url}/embeddings", data=json.dumps(body), timeout=30)


def mapped(server: OpenAiServer) -> bool:
    return any(embedding_engine.WEIGHTS in part.path for part in psutil.Process(server.process.pid).memory_maps())


def test_the_model_is_loaded_by_the_first_text(server):
    assert not mapped(server)
    assert requests.get(f"{server.base_url}/models", timeout=10).json()["data"][0]["id"] == MODEL
    assert not mapped(server)
    assert [len(vector) for vector in embed(server, "Hello", "Good bye")] == [384, 384]
    assert mapped(server)


def test_it_finds_what_is_meant_across_languages(server):
    vectors = embed(server, *RULES, *(question for question, _ in QUESTIONS))
    rules, questions = vectors[: len(RULES)], vectors[len(RULES) :]
    found = [
        max(range(len(RULES)), key=lambda number: sum(a * b for a, b in zip(question, rules[number], strict=True)))
        for question in questions
    ]
    assert found == [number for _, number in QUESTIONS]


def test_a_text_has_the_same_vector_alone_and_among_others(server):
    assert embed(server, "Hello") == embed(server, "Good bye", "Hello")[1:]


def test_texts_that_grow_when_they_are_composed_are_bounded(server):
    assert len(as_read("\ufdfa")) == 18
    assert post(server, {"input": "\ufdfa" * 40}).status_code == 200
    answer = post(server, {"input": "\ufdfa" * 1000})
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "A text may have at most 8192 characters.")


@pytest.mark.parametrize("text", ["\0", " ", "\ud800", "\u200b", "🎉", "\x01"])
def test_odd_characters_have_vectors_too(server, text):
    answer = post(server, {"input": text}).json()
    assert len(answer["data"][0]["embedding"]) == 384 and answer["usage"]["prompt_tokens"] > 0


@pytest.mark.parametrize(
    "body", [[], {}, {"input": ""}, {"input": []}, {"input": [1]}, {"input": "a", "encoding_format": "base64"}]
)
def test_what_it_cannot_read_is_refused(server, body):
    assert post(server, body).status_code == 400
    assert post(server, {"input": "still there"}).status_code == 200


def test_what_is_no_json_or_too_large_is_refused(server):
    address = f"{server.base_url}/embeddings"
    assert requests.post(address, data=b"{", timeout=10).status_code == 400
    assert requests.post(address, data=b"[" * 100_000, timeout=10).status_code == 400
    assert requests.post(address, headers={"Content-Length": "99999999"}, timeout=10).status_code == 413
    assert requests.post(f"{server.base_url}/chat/completions", data=b"{}", timeout=10).status_code == 404


def test_a_text_too_long_is_the_caller_s_error(server):
    with pytest.raises(ProviderBadRequest):
        embed(server, "word " * 2000)


def test_callers_at_once_get_their_own_vectors(server):
    texts = [f"Sentence number {number}." for number in range(8)]
    alone, at_once = {text: embed(server, text) for text in texts}, {}
    threads = [threading.Thread(target=lambda text=text: at_once.update({text: embed(server, text)})) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert at_once == alone


class TestAnotherInstallation:
    @pytest.fixture(autouse=True)
    def anew(self) -> Iterator[None]:
        embedding_engine.engine.cache_clear()
        yield
        embedding_engine.engine.cache_clear()

    def test_files_other_than_the_tested_ones_are_not_loaded(self, monkeypatch):
        monkeypatch.setattr(embedding_engine, "LIBRARY_SHA256", "0" * 64)
        with pytest.raises(NoEngine, match="not those that were tested"):
            embedding_engine.engine()

    def test_a_processor_without_avx2_is_told(self, monkeypatch, tmp_path):
        flags = tmp_path / "cpuinfo"
        flags.write_text("flags\t\t: fpu vme sse2\n")
        monkeypatch.setattr(pathlib, "Path", lambda path: flags if path == "/proc/cpuinfo" else type(flags)(path))
        with pytest.raises(NoEngine, match="lacks AVX2"):
            embedding_engine.engine()
