"""Embedding and reranking by their protocols."""

import base64
import json
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.errors import (
    ContextTooLong,
    ProviderAuthFailed,
    ProviderNotInitialize,
    ProviderProtocolError,
    ProviderQuotaExceeded,
    ProviderTimeout,
)
from app.providers.cancellation import Cancellation, Cancelled
from app.providers.models import embeddings
from app.providers.models.embeddings import EmbeddingModel, RerankModel
from app.providers.models.endpoint import Endpoint
from app.providers.models.routes import ModelRoutes
from tests.support.raw_server import RawServer, say
from tests.support.scripted_model import ScriptedModel
from tests.support.scripted_model.vectors import DIMENSIONS, vector

A, B = [1.0, 2.5], [3.0, 4.5]


def document(content: Any) -> bytes:
    """Return a whole response with a JSON body."""
    body = json.dumps(content).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
def server() -> Iterator[ScriptedModel]:
    with ScriptedModel() as started:
        yield started


@pytest.fixture
def embedder(server: ScriptedModel) -> EmbeddingModel:
    return EmbeddingModel(Endpoint(server.base_url, "key", read_timeout=5.0), "embed-small")


@pytest.fixture
def reranker(server: ScriptedModel) -> RerankModel:
    return RerankModel(Endpoint(server.base_url, "key", read_timeout=5.0), "rerank-small")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "LONGEST_PAUSE_SECONDS", 0.01)


def texts(count: int) -> list[str]:
    return [f"text {number}" for number in range(count)]


def test_every_text_gets_its_vector_in_order(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    assert embedder.embed(texts(3), Cancellation()) == [vector(text) for text in texts(3)]
    [request] = server.vector_requests
    assert request.body == {"model": "embed-small", "input": texts(3), "encoding_format": "float"}
    assert request.headers["authorization"] == "Bearer key"


def test_many_texts_go_in_batches(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    assert len(embedder.embed(texts(70), Cancellation())) == 70
    assert [len(request.body["input"]) for request in server.vector_requests] == [32, 32, 6]


def test_a_batch_that_is_too_large_is_halved(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    server.script_vectors("context_length", "context_length")
    assert embedder.embed(texts(8), Cancellation()) == [vector(text) for text in texts(8)]
    assert [len(request.body["input"]) for request in server.vector_requests] == [8, 4, 2, 2, 4]


def test_a_text_that_is_too_long_alone_is_told(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    server.script_vectors("context_length")
    with pytest.raises(ContextTooLong):
        embedder.embed(["long"], Cancellation())


@pytest.mark.usefixtures("no_pauses")
def test_temporary_failures_are_tried_again(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    server.script_vectors("rate_limit", "server_error", "overloaded", "nonsense")
    assert len(embedder.embed(texts(2), Cancellation(), attempts=5)) == 2
    assert len(server.vector_requests) == 5


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(("error", "raised"), [("quota", ProviderQuotaExceeded), ("bad_key", ProviderAuthFailed)])
def test_what_does_not_pass_is_told_at_once(
    server: ScriptedModel, embedder: EmbeddingModel, error: str, raised: type[Exception]
) -> None:
    server.script_vectors(error)
    with pytest.raises(raised):
        embedder.embed(["a"], Cancellation(), attempts=5)
    assert len(server.vector_requests) == 1


def test_other_dimensions_are_told(embedder: EmbeddingModel) -> None:
    with pytest.raises(
        ProviderProtocolError, match=f"'embed-small' returned {DIMENSIONS} dimensions; 768 are expected"
    ):
        embedder.embed(["a"], Cancellation(), dimensions=768)


def test_an_answer_without_vectors_is_an_error(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    server.script_vectors("nonsense")
    with pytest.raises(ProviderProtocolError):
        embedder.embed(["a"], Cancellation())


def test_a_silent_server_ends_at_the_deadline(server: ScriptedModel, embedder: EmbeddingModel) -> None:
    server.script_vectors(hang=True)
    with pytest.raises(ProviderTimeout):
        embedder.embed(["a"], Cancellation(), time.monotonic() + 0.3)


def test_a_stop_ends_it(embedder: EmbeddingModel) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        embedder.embed(["a"], cancellation)


def test_documents_are_ranked(server: ScriptedModel, reranker: RerankModel) -> None:
    documents = ["nothing", "red car", "car"]
    assert reranker.rerank("red car", documents, 2, Cancellation()) == [(1, 1.0), (2, 0.5)]
    assert server.vector_requests[0].body == {
        "model": "rerank-small",
        "query": "red car",
        "documents": documents,
        "top_n": 2,
    }


def test_a_ranking_of_other_documents_is_an_error(server: ScriptedModel, reranker: RerankModel) -> None:
    server.script_vectors("nonsense")
    with pytest.raises(ProviderProtocolError):
        reranker.rerank("car", ["car"], 1, Cancellation())


def test_without_a_file_embeddings_are_asked_of_the_one_server_by_their_own_name(server: ScriptedModel) -> None:
    routes = ModelRoutes.from_settings("", server.base_url, "key", "chatty", {})
    assert routes.embedding_model("openai", "text-embedding-3-small").name == "text-embedding-3-small"
    with pytest.raises(ProviderNotInitialize):
        routes.rerank_model("cohere", "rerank-3")


@pytest.mark.parametrize(
    "entries",
    [
        [{"index": 1, "embedding": [3, 4.5]}, {"index": 0, "embedding": [1.0, 2.5]}],
        [{"embedding": [1.0, 2.5]}, {"embedding": [3, 4.5]}],
        [{"index": None, "embedding": [1.0, 2.5]}, {"index": "1", "embedding": [3, 4.5]}],
        [{"index": 0, "embedding": [[1.0, 2.5]]}, {"index": 1, "embedding": [[3, 4.5]]}],
        [{"index": n, "embedding": base64.b64encode(struct.pack("<2f", *v)).decode()} for n, v in ((0, A), (1, B))],
    ],
)
def test_vectors_are_read_in_the_forms_that_servers_write(entries: list[dict[str, Any]]) -> None:
    with RawServer(say(document({"data": entries}))) as server:
        vectors = EmbeddingModel(Endpoint(server.base_url), "m").embed(["a", "b"], Cancellation())
    assert [list(vector) for vector in vectors] == [A, B]


@pytest.mark.parametrize(
    "embedding", [None, [], "", "not base64", "AAA=", [1, "2"], [True], [float("nan")], [[1], [2]], {}]
)
def test_what_is_no_vector_is_an_error(embedding: Any) -> None:
    answer = say(document({"data": [{"embedding": embedding}]}))
    with RawServer(answer) as server, pytest.raises(ProviderProtocolError):
        EmbeddingModel(Endpoint(server.base_url), "m").embed(["a"], Cancellation())


@pytest.mark.parametrize(
    "answer",
    [
        {"results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]},
        [{"index": 0, "score": 0.1}, {"index": "1", "score": 0.9}],
    ],
)
def test_rankings_are_read_in_the_forms_that_servers_write(answer: Any) -> None:
    with RawServer(say(document(answer))) as server:
        ranking = RerankModel(Endpoint(server.base_url), "m").rerank("q", ["a", "b"], 2, Cancellation())
    assert ranking == [(1, 0.9), (0, 0.1)]
