"""Call embedding models by OpenAI's protocol, `/embeddings`, and rerank models as Jina, Cohere, vLLM and Xinference do.

They use the HTTP client of the chat calls. Vectors are asked for as lists of numbers: not every server knows the base64
form.
"""

import base64
import math
import random
import struct
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
from app.providers.cancellation import Cancellation, CancelScope
from app.providers.models.call_records import recorded
from app.providers.models.chat_types import Usage
from app.providers.models.endpoint import Endpoint
from app.providers.models.model_failures import CallDescription, error_in, failure_of_event, failure_of_response
from app.providers.models.model_spans import model_span
from app.providers.models.wire_values import whole_number

# Of the models that are asked at these paths.
KINDS = {"embeddings": "embedding", "rerank": "rerank"}
BATCH = 32
LARGEST_RESPONSE = 64 * 1024 * 1024
TEMPORARY = (ProviderRateLimited, ProviderServerError, ProviderTimeout, ProviderUnreachable, ProviderProtocolError)
LONGEST_PAUSE_SECONDS = 20.0

Vector = Sequence[float]
_T = TypeVar("_T")


class EmbeddingModel:
    """One configured embedding model. Raises only ProviderError and its children, and Cancelled."""

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
        """Return a vector for each text, in their order; the deadline is in monotonic seconds.

        A request holds at most BATCH texts, fewer where the server refuses so many. Temporary failures (429, 5xx, a
        broken connection) are tried `attempts` times. Raises ProviderProtocolError for vectors of other `dimensions`.
        """
        vectors: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            vectors += self._embed_some(
                texts[start : start + BATCH], CancelScope(cancellation, deadline), dimensions, attempts
            )
        return vectors

    def _embed_some(
        self, texts: Sequence[str], scope: CancelScope, dimensions: int | None, attempts: int
    ) -> list[Vector]:
        try:
            return _retry(lambda: self._ask(texts, scope, dimensions, attempts), scope, attempts)
        except (ProviderBadRequest, ContextTooLong):
            # Servers differ in how many texts, and how much text, they take at once, and do not say which limit it was:
            # halve the batch until it is taken, or until a single text is refused.
            if len(texts) == 1:
                raise
        half = len(texts) // 2
        return [
            vector
            for part in (texts[:half], texts[half:])
            for vector in self._embed_some(part, scope, dimensions, attempts)
        ]

    def _ask(self, texts: Sequence[str], scope: CancelScope, dimensions: int | None, attempts: int) -> list[Vector]:
        response = _post(
            self._endpoint,
            "/embeddings",
            {"model": self.name, "input": list(texts), "encoding_format": "float"},
            scope,
            self._endpoint.describe(self.name, "\n".join(texts)),
            attempts == 1,
        )
        vectors: dict[int, Vector] = {}
        for number, entry in enumerate(_entries(response, "data", len(texts))):
            index, vector = whole_number(entry.get("index", number)), _read_vector(entry.get("embedding"))
            if vector is None:
                raise ProviderProtocolError("The embedding server's response holds an invalid vector.")
            if dimensions is not None and len(vector) != dimensions:
                raise ProviderProtocolError(
                    f"The embedding model {self.name!r} returned {len(vector)} dimensions; {dimensions} are expected."
                )
            vectors[number if index is None else index] = vector
        if sorted(vectors) != list(range(len(texts))):
            raise ProviderProtocolError("The embedding server did not return a vector for every text.")
        return [vectors[number] for number in range(len(texts))]


class RerankModel:
    """One configured rerank model. Raises only ProviderError and its children, and Cancelled."""

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
        """Return (index of a document, its relevance), best first, at most `most` of them.

        Temporary failures are tried `attempts` times. The deadline is in monotonic seconds.
        """
        scope = CancelScope(cancellation, deadline)
        body = {"model": self.name, "query": query, "documents": list(documents), "top_n": most}
        call = self._endpoint.describe(self.name, "\n".join((query, *documents)))
        response = _retry(lambda: _post(self._endpoint, "/rerank", body, scope, call, attempts == 1), scope, attempts)
        scores: dict[int, float] = {}
        for entry in _entries(response, "results", None):
            index, score = whole_number(entry.get("index")), entry.get("relevance_score", entry.get("score"))
            if index is None or not 0 <= index < len(documents) or not isinstance(score, float | int):
                raise ProviderProtocolError("The rerank server's response holds an invalid ranking.")
            scores[index] = float(score)
        return sorted(scores.items(), key=lambda item: -item[1])[:most]


def _retry(call: Callable[[], _T], scope: CancelScope, attempts: int) -> _T:
    """Repeat a call while its failure is temporary, with growing pauses, but not beyond the deadline."""
    for attempt in range(1, attempts):
        try:
            return call()
        except TEMPORARY:
            # Half a second, then its doubles, varied by a quarter: callers that failed together do not return together.
            pause = min(LONGEST_PAUSE_SECONDS, 0.5 * math.pow(2, attempt - 1)) * random.uniform(0.75, 1.25)
            if scope.remaining(LONGEST_PAUSE_SECONDS * 2) <= pause:
                raise
            scope.cancellation.wait(pause)
    return call()


def _post(
    endpoint: Endpoint, path: str, body: dict[str, Any], scope: CancelScope, call: CallDescription, repeat: bool
) -> Any:
    """Send a JSON body and return the JSON of the response. `repeat`: the endpoint may repeat the request."""
    name, model = path.removeprefix("/"), body["model"]
    with model_span(name, model, endpoint) as span, recorded(endpoint.name, KINDS[name], model) as record:
        response = _exchange(endpoint, path, body, scope, call, repeat)
        usage = response.get("usage") if isinstance(response, dict) else None
        if isinstance(usage, dict):
            tokens = whole_number(usage.get("prompt_tokens"))
            span.set({"gen_ai.usage.input_tokens": tokens})
            record.usage = Usage(tokens or 0, 0, tokens or 0)
        return response


def _exchange(
    endpoint: Endpoint, path: str, body: dict[str, Any], scope: CancelScope, call: CallDescription, repeat: bool
) -> Any:
    try:
        content = orjson.dumps(body)
    except TypeError:  # a lone surrogate in a text
        raise ProviderBadRequest from None
    response = endpoint.post(path, content, scope, repeat=repeat)
    try:
        if response.status != 200:
            raise failure_of_response(response.status, response.read_document(), call)
        pieces, size = [], 0
        while (piece := response.read()) is not None:
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_RESPONSE:
                raise ProviderProtocolError
        response.finish()
    finally:
        response.close()
    try:
        return orjson.loads(b"".join(pieces))
    except orjson.JSONDecodeError:
        raise ProviderProtocolError from None


def _read_vector(written: Any) -> Vector | None:
    """Return a vector that a server wrote as a list of numbers, or as base64 unasked; None for anything else."""
    if isinstance(written, str):
        try:
            content = base64.b64decode(written, validate=True)
        except ValueError:
            return None
        vector: list[Any] = list(struct.unpack(f"<{len(content) // 4}f", content)) if len(content) % 4 == 0 else []
    else:
        # Some servers put the vector of one text into a list of vectors.
        nested = isinstance(written, list) and len(written) == 1 and isinstance(written[0], list)
        vector = written[0] if nested else written
    if not isinstance(vector, list) or not vector:
        return None
    return vector if all(type(value) in (float, int) and math.isfinite(value) for value in vector) else None


def _entries(response: Any, name: str, count: int | None) -> list[dict[str, Any]]:
    """Return the list of objects under a name of the response, `count` of them if given. Raises ProviderError."""
    # Some rerank servers send the bare list.
    entries = response.get(name) if isinstance(response, dict) else response
    if (
        isinstance(entries, list)
        and all(isinstance(entry, dict) for entry in entries)
        and count in (None, len(entries))
    ):
        return entries
    error = error_in(response)
    raise ProviderProtocolError if error is None else failure_of_event(error)
