"""Embeddings behind OpenAI's protocol, `/embeddings`; reranking as Jina, Cohere, vLLM and Xinference speak it, `/rerank`.

By the thin HTTP client of the chat calls. Vectors travel as lists of numbers: not every server knows the base64 form.
"""

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import orjson

from app.errors import (
    ContextTooLong,
    ProviderBadRequest,
    ProviderProtocolError,
    ProviderRateLimited,
    ProviderServerError,
    ProviderTimeout,
    ProviderUnreachable,
)
from app.providers.cancellation import Cancellation, Patience
from app.providers.models.endpoint import Endpoint
from app.providers.models.model_failures import error_in, failure_of_answer, failure_of_frame

BATCH = 32
LARGEST_ANSWER = 64 * 1024 * 1024
PASSING = (ProviderRateLimited, ProviderServerError, ProviderTimeout, ProviderUnreachable, ProviderProtocolError)
LONGEST_PAUSE = 20.0

Vector = Sequence[float]
_T = TypeVar("_T")


class EmbeddingModel:
    """One configured embedder. Raises only ProviderError and its children, and Cancelled."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.name = name
        self._endpoint = endpoint

    def embed(
        self,
        texts: Sequence[str],
        cancellation: Cancellation,
        deadline: float | None = None,
        *,
        dimensions: int | None = None,
        attempts: int = 1,
    ) -> list[Vector]:
        """A vector for each text, in their order; at most BATCH texts are asked for at once, fewer where the server wants that.

        What passes by itself (429, 5xx, a broken connection) is tried `attempts` times. The deadline is in monotonic seconds.
        Vectors that are not of so many `dimensions` are a ProviderProtocolError that says so.
        """
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += self._embed_some(
                texts[start : start + BATCH], Patience(cancellation, deadline), dimensions, attempts
            )
        return vectors

    def _embed_some(
        self, texts: Sequence[str], patience: Patience, dimensions: int | None, attempts: int
    ) -> list[Vector]:
        try:
            return _tried(lambda: self._ask(texts, patience, dimensions), patience, attempts)
        except (ProviderBadRequest, ContextTooLong):
            # Servers differ in how many texts, and how much text, they take at once.
            if len(texts) == 1:
                raise
        half = len(texts) // 2
        return [
            vector
            for part in (texts[:half], texts[half:])
            for vector in self._embed_some(part, patience, dimensions, attempts)
        ]

    def _ask(self, texts: Sequence[str], patience: Patience, dimensions: int | None) -> list[Vector]:
        answer = _post(
            self._endpoint,
            "/embeddings",
            {"model": self.name, "input": list(texts), "encoding_format": "float"},
            patience,
        )
        vectors: dict[int, Vector] = {}
        for number, entry in enumerate(_entries(answer, "data", len(texts))):
            index, vector = entry.get("index", number), entry.get("embedding")
            if not isinstance(vector, list) or not vector or not all(type(value) in (float, int) for value in vector):
                raise ProviderProtocolError("The embedding server answered with something that is no vector.")
            if dimensions is not None and len(vector) != dimensions:
                raise ProviderProtocolError(
                    f"The embedding model {self.name!r} gave {len(vector)} dimensions, {dimensions} are expected."
                )
            vectors[index] = vector
        if sorted(vectors) != list(range(len(texts))):
            raise ProviderProtocolError("The embedding server did not answer for every text.")
        return [vectors[number] for number in range(len(texts))]


class RerankModel:
    """One configured reranker. Raises only ProviderError and its children, and Cancelled."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self.name = name
        self._endpoint = endpoint

    def rerank(
        self,
        query: str,
        documents: Sequence[str],
        most: int,
        cancellation: Cancellation,
        deadline: float | None = None,
        *,
        attempts: int = 1,
    ) -> list[tuple[int, float]]:
        """(index of a document, its relevance), best first, at most so many. The deadline is in monotonic seconds."""
        patience = Patience(cancellation, deadline)
        body = {"model": self.name, "query": query, "documents": list(documents), "top_n": most}
        answer = _tried(lambda: _post(self._endpoint, "/rerank", body, patience), patience, attempts)
        scores: dict[int, float] = {}
        for entry in _entries(answer, "results", None):
            index, score = entry.get("index"), entry.get("relevance_score")
            if not isinstance(index, int) or not 0 <= index < len(documents) or not isinstance(score, float | int):
                raise ProviderProtocolError("The rerank server answered with something that is no ranking.")
            scores[index] = float(score)
        return sorted(scores.items(), key=lambda item: -item[1])[:most]


def _tried(call: Callable[[], _T], patience: Patience, attempts: int) -> _T:
    for attempt in range(1, attempts):
        try:
            return call()
        except PASSING:
            # Not all at the same moment.
            pause = min(LONGEST_PAUSE, 0.5 * math.pow(2, attempt - 1)) * random.uniform(0.75, 1.25)
            if patience.remaining(LONGEST_PAUSE * 2) <= pause:
                raise
            patience.cancellation.wait(pause)
    return call()


def _post(endpoint: Endpoint, path: str, body: dict[str, Any], patience: Patience) -> Any:
    try:
        content = orjson.dumps(body)
    except TypeError:  # a lone surrogate in a text
        raise ProviderBadRequest from None
    response = endpoint.post(path, content, patience)
    try:
        if response.status != 200:
            raise failure_of_answer(response.status, response.read_document())
        pieces, size = [], 0
        while (piece := response.read()) is not None:
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise ProviderProtocolError
        response.finish()
    finally:
        response.close()
    try:
        return orjson.loads(b"".join(pieces))
    except orjson.JSONDecodeError:
        raise ProviderProtocolError from None


def _entries(answer: Any, name: str, count: int | None) -> list[dict[str, Any]]:
    """The objects of an answer's list. Raises ProviderError where it is something else."""
    entries = answer.get(name) if isinstance(answer, dict) else None
    if (
        isinstance(entries, list)
        and all(isinstance(entry, dict) for entry in entries)
        and count in (None, len(entries))
    ):
        return entries
    error = error_in(answer)
    raise ProviderProtocolError if error is None else failure_of_frame(error)
