"""Search the datasets of an app and return cited passages (contract streaming.md §3.2: `retriever_resources`)."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, current_app
from sqlalchemy.exc import DBAPIError

from app import tracing
from app.errors import ProviderError
from app.extensions import db
from app.models import embeddings
from app.models.datasets import list_wanted_datasets
from app.models.documents import list_metadata_fields
from app.models.segment_searches import (
    CitedSegment,
    FoundSegment,
    cite_segments,
    find_by_meaning,
    find_by_words,
    limit_time,
    read_contents,
)
from app.providers.cancellation import Cancellation
from app.services.knowledge import search_terms
from app.services.knowledge.metadata_conditions import sql_condition
from app.services.knowledge.ranking import Hit, by_rank, by_weight, ordered
from app.services.process.providers import model_routes
from app.workflow.contracts.knowledge import Retrieval
from app.workflow.failures import NodeFailed

log = structlog.get_logger(__name__)

ATTEMPTS = 2
MOST_RESULTS = 100
LONGEST_QUERY = 8_000
# Of each list, before the lists are merged.
_LEAST_CANDIDATES = 20


@dataclass(frozen=True)
class _Dataset:
    id: uuid.UUID
    method: str
    model: tuple[str, str] | None
    dimensions: int | None
    score_threshold: float | None


class AppKnowledge:
    """The datasets of one app, for the engine (`workflow.contracts.knowledge.Knowledge`).

    Made inside an app's context, usable in any thread.
    """

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def retrieve(self, retrieval: Retrieval, seconds: float, cancellation: Cancellation) -> Sequence[Mapping[str, Any]]:
        """Return the passages that fit, the best first. Raises what `search` raises."""
        # Branches of a run have threads of their own, without a context.
        with self._app.app_context():
            return search(self._app_id, retrieval, seconds, cancellation)

    def metadata_fields(self, dataset_ids: Sequence[str]) -> Sequence[str]:
        """Return the names of all metadata fields that documents of these datasets have."""
        with self._app.app_context():
            return list_metadata_fields([dataset.id for dataset in _datasets(self._app_id, dataset_ids, None)])


def search(
    app_id: str | None, retrieval: Retrieval, seconds: float, cancellation: Cancellation
) -> list[dict[str, Any]]:
    """Return passages, the best first. Without `app_id`, `dataset_ids` are ids of datasets here, and no bindings count.

    Where an embedding or rerank model does not answer, the search goes on without it and logs that.
    Raises NodeFailed for conditions that cannot be read and after `seconds`, Cancelled.
    """
    attributes = {
        tracing.ROLE: "RETRIEVER",
        "frontdesk.datasets": len(retrieval.dataset_ids),
        "frontdesk.top_k": retrieval.top_k,
    }
    with tracing.span("retrieval", attributes) as span:
        passages = _search(app_id, retrieval, seconds, cancellation)
        span.set({"frontdesk.passages": len(passages)})
        return passages


def _search(
    app_id: str | None, retrieval: Retrieval, seconds: float, cancellation: Cancellation
) -> list[dict[str, Any]]:
    deadline = time.monotonic() + seconds
    condition = sql_condition(retrieval.conditions, retrieval.logical_operator)
    query = retrieval.query.replace("\x00", "").strip()[:LONGEST_QUERY]
    datasets = _datasets(app_id, retrieval.dataset_ids, retrieval.search_method)
    most = max(0, min(retrieval.top_k, MOST_RESULTS))
    if not query or not datasets or not most:
        return []
    vectors = _query_vectors(datasets, query, cancellation, deadline)
    wanted = search_terms.query_words(query)
    candidates = max(_LEAST_CANDIDATES, most * (4 if retrieval.rerank_model else 2))
    near: dict[tuple[str, str], dict[str, float]] = {}
    try:
        with db.engine.begin() as connection:
            limit_time(connection, _left(deadline))
            for dataset in datasets:
                if dataset.model in vectors and dataset.model is not None:
                    found = find_by_meaning(connection, dataset.id, vectors[dataset.model], candidates, condition)
                    near.setdefault(dataset.model, {}).update(_good(found, dataset, retrieval))
            worded = [dataset for dataset in datasets if dataset.method != "semantic" or dataset.model not in vectors]
            likely = (
                find_by_words(connection, [dataset.id for dataset in worded], wanted, candidates, condition)
                if worded and wanted
                else []
            )
    except DBAPIError as error:
        raise _failed(error) from None
    cancellation.raise_if_cancelled()
    hits = _merged(
        [ordered(scores)[:candidates] for scores in near.values()],
        [Hit(found.segment_id, found.score) for found in likely],
        retrieval.weights,
    )
    if retrieval.score_threshold is not None and not retrieval.rerank_model:
        hits = [hit for hit in hits if hit.score >= retrieval.score_threshold]
    if retrieval.rerank_model:
        return _reranked(hits[:candidates], query, retrieval, most, cancellation, deadline)
    return _sources(hits[:most], deadline)


def _datasets(app_id: str | None, wanted: Sequence[str], method: str | None) -> list[_Dataset]:
    """Return the wanted datasets that exist, in the given order. A binding counts before a dataset's own id."""
    rows = list_wanted_datasets(app_id, [str(key).replace("\x00", "") for key in wanted])
    missing = {str(key) for key in wanted} - {row.wanted_id for row in rows}
    if missing:
        log.warning("knowledge.unknown_datasets", app_id=app_id, dataset_ids=sorted(missing))
    found: dict[uuid.UUID, _Dataset] = {}
    for row in rows:
        embedded = None
        if row.dimensions is not None:
            embedded = row.embedding_provider or "", row.embedding_model or ""
        chosen = method if method in ("hybrid", "semantic", "full_text") else row.search_method
        found[row.id] = _Dataset(
            id=row.id,
            method=chosen if embedded else "full_text",
            model=embedded,
            dimensions=row.dimensions,
            score_threshold=row.score_threshold,
        )
    return list(found.values())


def _query_vectors(
    datasets: Sequence[_Dataset], query: str, cancellation: Cancellation, deadline: float
) -> dict[tuple[str, str], str]:
    """Return the query's embedding by each model that the datasets use; models that do not answer are left out."""
    vectors: dict[tuple[str, str], str] = {}
    for dataset in datasets:
        if dataset.model is None or dataset.method == "full_text" or dataset.model in vectors:
            continue
        provider, name = dataset.model
        try:
            model = model_routes().embedding_model(provider, name)
            [vector] = model.embed([query], cancellation, deadline, dimensions=dataset.dimensions, attempts=ATTEMPTS)
        except ProviderError as error:
            log.warning("knowledge.embedding_away", model=name, error=error.message, instead="full text")
            continue
        vectors[dataset.model] = embeddings.literal(vector)
    return vectors


def _good(found: Sequence[FoundSegment], dataset: _Dataset, retrieval: Retrieval) -> dict[str, float]:
    """Return the scores of what passes the dataset's threshold, which counts where the app has none."""
    least = (
        dataset.score_threshold if retrieval.score_threshold is None and dataset.score_threshold is not None else -1.0
    )
    return {segment.segment_id: segment.score for segment in found if segment.score >= least}


def _merged(near: Sequence[Sequence[Hit]], likely: Sequence[Hit], weights: tuple[float, float] | None) -> list[Hit]:
    if weights is not None and near and likely:
        return by_weight([*((weights[0], hits) for hits in near), (weights[1], likely)])
    return by_rank([*near, likely])


def _reranked(
    hits: Sequence[Hit], query: str, retrieval: Retrieval, most: int, cancellation: Cancellation, deadline: float
) -> list[dict[str, Any]]:
    """Return passages in the order of a rerank model; where it does not answer, in the order of the hits.

    An app with a rerank model sets its threshold for that model's scores, so it is applied here.
    """
    least = -1e9 if retrieval.score_threshold is None else retrieval.score_threshold
    provider, name = retrieval.rerank_model or ("", "")
    contents = read_contents([hit.segment_id for hit in hits])
    present = [hit for hit in hits if hit.segment_id in contents]
    if not present:
        return []
    try:
        model = model_routes().rerank_model(provider, name)
        ranks = model.rerank(
            query, [contents[hit.segment_id] for hit in present], most, cancellation, deadline, attempts=ATTEMPTS
        )
        present = [Hit(present[index].segment_id, score) for index, score in ranks]
    except ProviderError as error:
        log.warning("knowledge.rerank_away", model=name, error=error.message, instead="merged ranks")
    return _sources([hit for hit in present if hit.score >= least][:most], deadline)


def _sources(hits: Sequence[Hit], deadline: float) -> list[dict[str, Any]]:
    if not hits:
        return []
    try:
        with db.engine.begin() as connection:
            limit_time(connection, _left(deadline))
            rows = cite_segments(connection, [hit.segment_id for hit in hits])
    except DBAPIError as error:
        raise _failed(error) from None
    # Segments that were removed since the search are left out.
    known = [(hit, rows[hit.segment_id]) for hit in hits if hit.segment_id in rows]
    return [_source(position, hit, row) for position, (hit, row) in enumerate(known, 1)]


def _source(position: int, hit: Hit, row: CitedSegment) -> dict[str, Any]:
    return {
        "position": position,
        "dataset_id": row.dataset_id,
        "dataset_name": row.dataset_name,
        "document_id": row.document_id,
        "document_name": row.document_name,
        "data_source_type": row.source,
        "segment_id": hit.segment_id,
        "score": hit.score,
        "hit_count": row.hit_count,
        "word_count": row.word_count,
        "segment_position": row.position,
        "index_node_hash": row.index_node_hash,
        "content": row.content,
        "page": row.page,
        "title": row.title or row.document_name,
        "files": [],
        "summary": None,
        "doc_metadata": row.details,
    }


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise NodeFailed("The knowledge could not be searched in time.", "KnowledgeRetrievalError")
    return left


def _failed(error: DBAPIError) -> NodeFailed:
    log.warning("knowledge.search_failed", error=str(error.orig).strip())
    in_time = getattr(error.orig, "pgcode", None) != "57014"
    return NodeFailed(
        "The knowledge could not be searched." if in_time else "The knowledge could not be searched in time.",
        "KnowledgeRetrievalError",
    )
