"""Datasets for tests, and searches in them."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from app.models.datasets import DatasetSummary
from app.providers.cancellation import Cancellation
from app.services.knowledge import retrieval
from app.services.operator import datasets, ingestion
from app.services.operator.datasets import DatasetSettings
from app.workflow.contracts.knowledge import Retrieval

MODEL = "embed-small"
VACATION = "Everybody has 25 days of vacation. Ask your lead two weeks before."
PARKING = "The car park opens at seven. Visitors park at the gate."
COFFEE = "Coffee is free. The machine is cleaned on Fridays."


def make_dataset(*files: str | tuple[str, str] | tuple[str, str, Mapping[str, Any]], **settings: Any) -> DatasetSummary:
    """Create a dataset of texts, or of (name, text) or (name, text, metadata)."""
    dataset, _ = datasets.create(f"test-{secrets.token_hex(6)}", DatasetSettings(**settings))
    for number, file in enumerate(files):
        name, text, *metadata = (f"{number}.md", file) if isinstance(file, str) else file
        put(dataset, str(name), str(text), **dict(metadata[0] if metadata else {}))
    return dataset


def embedded(*files: Any, **settings: Any) -> DatasetSummary:
    """Create a dataset that is also searched by meaning."""
    return make_dataset(*files, embedding_model=MODEL, **settings)


def put(dataset: DatasetSummary, name: str, text: str | bytes, **metadata: Any) -> ingestion.AddedDocument:
    content = text.encode() if isinstance(text, str) else text
    return ingestion.add(dataset, name, content, metadata, lambda done, of: None)


def look(dataset: DatasetSummary | Sequence[DatasetSummary], query: str, **settings: Any) -> list[dict[str, Any]]:
    """Return the sources that a search finds."""
    wanted = [dataset] if isinstance(dataset, DatasetSummary) else dataset
    return retrieval.search(None, Retrieval([str(one.id) for one in wanted], query, **settings), 10, Cancellation())


def names(sources: Sequence[Mapping[str, Any]]) -> list[str]:
    return [source["document_name"] for source in sources]
