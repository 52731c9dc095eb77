"""What is asked of the knowledge that an app stands on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.providers.cancellation import Cancellation


@dataclass(frozen=True)
class Condition:
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
    conditions: Sequence[Condition] = ()
    logical_operator: str = "and"


class Knowledge(Protocol):
    """Gives sources, best first: mappings with the fields of a `retriever_resources` item (contract streaming.md §3.2), `doc_metadata` too.

    Unknown datasets are left out. Raises NodeFailed where a search cannot be made at all, Cancelled.
    """

    def retrieve(self, retrieval: Retrieval, seconds: float, cancellation: Cancellation) -> Sequence[Mapping[str, Any]]: ...

    def metadata_fields(self, dataset_ids: Sequence[str]) -> Sequence[str]:
        """The names of metadata that documents of these datasets have."""
