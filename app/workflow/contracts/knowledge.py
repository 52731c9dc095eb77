"""Searches in an app's datasets, and the sources that they return."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.providers.cancellation import Cancellation

NODE_KIND = "knowledge-retrieval"
# Names in a source → names in the `metadata` of a retrieval node's `result` (contract dsl.md §3.7).
_RENAMED = {
    "hit_count": "segment_hit_count",
    "word_count": "segment_word_count",
    "index_node_hash": "segment_index_node_hash",
    "segment_position": "segment_position",
}
_SAME = (
    "position",
    "dataset_id",
    "dataset_name",
    "document_id",
    "document_name",
    "data_source_type",
    "segment_id",
    "score",
    "page",
    "doc_metadata",
)
_BESIDE = ("title", "content", "files", "summary")


@dataclass(frozen=True)
class MetadataFilter:
    """One condition on a document's metadata. `operator` as in app files (`contains`, `is`, `≥`, `before`, `in` …)."""

    name: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Retrieval:
    """One search in datasets.

    `dataset_ids` as the app file has them: ids that the operator bound to datasets, or ids of datasets themselves.
    `search_method`: None for each dataset's own. `weights`: (vector, keywords), None to merge the two rankings.
    `rerank_model`: (provider, name) of a rerank endpoint, None for no reranking. `logical_operator`: `and` or `or`,
    joins the conditions.
    """

    dataset_ids: Sequence[str]
    query: str
    top_k: int = 4
    score_threshold: float | None = None
    search_method: str | None = None
    weights: tuple[float, float] | None = None
    rerank_model: tuple[str, str] | None = None
    conditions: Sequence[MetadataFilter] = ()
    logical_operator: str = "and"


class Knowledge(Protocol):
    """Searches the datasets of an app."""

    def retrieve(self, retrieval: Retrieval, seconds: float, cancellation: Cancellation) -> Sequence[Mapping[str, Any]]:
        """Return sources, best first: the fields of a `retriever_resources` item (contract streaming.md §3.2).

        Each has `doc_metadata` as well. Unknown datasets are left out. Raises NodeFailed where the search cannot be
        made, Cancelled.
        """

    def metadata_fields(self, dataset_ids: Sequence[str]) -> Sequence[str]:
        """Return the names of the metadata fields that documents of these datasets have."""


def passage_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return a source as an item of a retrieval node's `result`."""
    metadata = {name: source.get(name) for name in _SAME} | {new: source.get(name) for name, new in _RENAMED.items()}
    return {
        "metadata": {"_source": "knowledge", "retriever_from": "workflow", **metadata},
        **{name: source.get(name) for name in _BESIDE},
    }


def source_of(passage: Mapping[str, Any]) -> dict[str, Any]:
    """Return the source of an item of a retrieval node's `result`: the inverse of `passage_of`."""
    metadata = passage["metadata"]
    same = {name: metadata.get(name) for name in _SAME} | {name: metadata.get(new) for name, new in _RENAMED.items()}
    return same | {name: passage.get(name) for name in _BESIDE}


def cited(sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the `retriever_resources` of an answer: each segment once, numbered from 1.

    The metadata that operators gave their documents (`doc_metadata`) is left out: end users must not see it.
    """
    once: dict[str, Mapping[str, Any]] = {}
    for source in sources:
        once.setdefault(str(source["segment_id"]), source)
    return [
        {name: value for name, value in source.items() if name != "doc_metadata"} | {"position": number}
        for number, source in enumerate(once.values(), 1)
    ]
