"""What is asked of the knowledge that an app stands on, and what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.providers.cancellation import Cancellation

NODE_KIND = "knowledge-retrieval"
# As sources have them → as a retrieval node's `metadata` has them (contract dsl.md §3.7); the rest is called the same.
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
    """One condition on a document's metadata. `operator` as app files write it (`contains`, `is`, `≥`, `before`, `in` …)."""

    name: str
    operator: str
    value: Any = None


@dataclass(frozen=True)
class Retrieval:
    """One search. `dataset_ids` as the app file has them (bound to datasets of ours by the operator, or ours themselves).

    `search_method` None: each dataset's own. `weights`: (vector, keywords), None: ranks are merged. `rerank_model`:
    (provider, name) of a rerank endpoint, None: none. `logical_operator` joins the conditions: `and`, `or`.
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
    """Gives sources, best first: mappings with the fields of a `retriever_resources` item (contract streaming.md §3.2), `doc_metadata` too.

    Unknown datasets are left out. Raises NodeFailed where a search cannot be made at all, Cancelled.
    """

    def retrieve(
        self, retrieval: Retrieval, seconds: float, cancellation: Cancellation
    ) -> Sequence[Mapping[str, Any]]: ...

    def metadata_fields(self, dataset_ids: Sequence[str]) -> Sequence[str]:
        """The names of metadata that documents of these datasets have."""


def passage_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """A source as an item of a retrieval node's `result`."""
    metadata = {name: source.get(name) for name in _SAME} | {new: source.get(name) for name, new in _RENAMED.items()}
    return {
        "metadata": {"_source": "knowledge", "retriever_from": "workflow", **metadata},
        **{name: source.get(name) for name in _BESIDE},
    }


def source_of(passage: Mapping[str, Any]) -> dict[str, Any]:
    """The source that an item of a retrieval node's `result` was made of."""
    metadata = passage["metadata"]
    same = {name: metadata.get(name) for name in _SAME} | {name: metadata.get(new) for name, new in _RENAMED.items()}
    return same | {name: passage.get(name) for name in _BESIDE}


def cited(sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The sources of a whole answer as visitors are told: each segment once, numbered from 1, without the operator's metadata."""
    once: dict[str, Mapping[str, Any]] = {}
    for source in sources:
        once.setdefault(str(source["segment_id"]), source)
    return [
        {name: value for name, value in source.items() if name != "doc_metadata"} | {"position": number}
        for number, source in enumerate(once.values(), 1)
    ]
