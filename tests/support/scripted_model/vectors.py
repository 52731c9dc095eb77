"""Embeddings and reranking of the scripted model: texts are alike as they share words, or words of one meaning."""

import math
import re
import zlib
from typing import Any

from tests.support.scripted_model.behaviour import Behaviour, error_body
from tests.support.scripted_model.recording import RecordedRequest
from tests.support.scripted_model.replies import Reply, json_reply

DIMENSIONS = 64
# What no search for words finds.
MEANINGS = {
    "holiday": "vacation",
    "holidays": "vacation",
    "leave": "vacation",
    "automobile": "car",
    "physician": "doctor",
}


def vector(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """One of length 1; the first number is never 0."""
    found = [0.1] + [0.0] * (dimensions - 1)
    for word in re.findall(r"\w+", text.lower()):
        found[zlib.crc32(MEANINGS.get(word, word).encode()) % (dimensions - 1) + 1] += 1.0
    length = math.sqrt(sum(value * value for value in found))
    return [value / length for value in found]


def embeddings_reply(request: RecordedRequest, behaviour: Behaviour | None, dimensions: int) -> Reply:
    """In reverse order: `index` says whose vector is whose."""
    failure = _failure(behaviour)
    if failure is not None:
        return failure
    texts = request.body["input"]
    data = [
        {"object": "embedding", "index": index, "embedding": vector(text, dimensions)}
        for index, text in enumerate(texts)
    ]
    return _at_once(
        {
            "object": "list",
            "data": data[::-1],
            "model": request.body["model"],
            "usage": {"prompt_tokens": 1, "total_tokens": 1},
        }
    )


def rerank_reply(request: RecordedRequest, behaviour: Behaviour | None) -> Reply:
    """The part of the query's words that a document has; the shorter document first among equals."""
    failure = _failure(behaviour)
    if failure is not None:
        return failure
    wanted = set(request.body["query"].lower().split())
    scores = [len(wanted & set(text.lower().split())) / max(1, len(wanted)) for text in request.body["documents"]]
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], len(request.body["documents"][index])))
    results = [{"index": index, "relevance_score": scores[index]} for index in order[: request.body["top_n"]]]
    return _at_once({"model": request.body["model"], "results": results})


def _failure(behaviour: Behaviour | None) -> Reply | None:
    if behaviour is None:
        return None
    if behaviour.hang:
        return Reply((), 0, 0, "hang")
    if behaviour.error is not None:
        status, body = error_body(behaviour.error)
        return _at_once(body, status)
    return _at_once({"data": [], "results": [{"index": 99, "relevance_score": 1}]})


def _at_once(body: Any, status: int = 200) -> Reply:
    return Reply((json_reply(body, status),), 0, 0, "complete")
