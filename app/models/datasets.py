"""Datasets: bodies of knowledge, and what app files call them.

Their documents are in `app/models/documents.py`. Each dataset that has embeddings has a table of its own for them
(`app/models/embeddings.py`).
"""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, Float, ForeignKey, Index, Integer, String, func, select, text, update
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.documents import COMPLETED, Document
from app.models.execution import execute, fetch_all, fetch_one, fetch_values
from app.models.identifiers import new_id, now


class Dataset(Base):
    """A body of knowledge and how it is searched. Without `embedding_model` it is searched by words alone.

    `top_k` is what a search takes that names no other; `score_threshold` (0 to 1) holds for apps that set none. A
    removed dataset has `deleted_at` and a name that nobody can ask for, until its rows are gone.
    """

    __tablename__ = "datasets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255), unique=True)
    search_method: Mapped[str] = mapped_column(String(16))
    embedding_provider: Mapped[str | None] = mapped_column(String(255))
    embedding_model: Mapped[str | None] = mapped_column(String(255))
    dimensions: Mapped[int | None] = mapped_column(Integer)
    top_k: Mapped[int] = mapped_column(Integer, server_default=text("4"), default=4)
    score_threshold: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)
    deleted_at: Mapped[datetime.datetime | None] = mapped_column(TIMESTAMP(timezone=True))


class DatasetBinding(Base):
    """Which dataset an app means by an id of its file."""

    __tablename__ = "dataset_bindings"
    __table_args__ = (Index(None, "dataset_id"),)

    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    file_dataset_id: Mapped[str] = mapped_column(String(512), primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))


@dataclass(frozen=True)
class DatasetSummary:
    """One dataset; `documents`, `segments` and `words` count what is searched."""

    id: uuid.UUID
    name: str
    search_method: str
    embedding_provider: str | None
    embedding_model: str | None
    dimensions: int | None
    top_k: int
    score_threshold: float | None
    created_at: datetime.datetime
    documents: int
    segments: int
    words: int


@dataclass(frozen=True)
class BindingSummary:
    """What an app's file calls a dataset. `app` is the app's code."""

    app: str
    file_dataset_id: str


class WantedDataset(NamedTuple):
    """A dataset that an app's file names, and by which id."""

    wanted_id: str
    id: uuid.UUID
    search_method: str
    embedding_provider: str | None
    embedding_model: str | None
    dimensions: int | None
    score_threshold: float | None


_COUNTED = (
    select(
        Document.dataset_id,
        func.count().label("documents"),
        func.sum(Document.segment_count).label("segments"),
        func.sum(Document.word_count).label("words"),
    )
    .where(Document.status == COMPLETED)
    .group_by(Document.dataset_id)
    .subquery()
)
_SUMMARIES = (
    select(
        Dataset.id,
        Dataset.name,
        Dataset.search_method,
        Dataset.embedding_provider,
        Dataset.embedding_model,
        Dataset.dimensions,
        Dataset.top_k,
        Dataset.score_threshold,
        Dataset.created_at,
        func.coalesce(_COUNTED.c.documents, 0).label("documents"),
        func.coalesce(_COUNTED.c.segments, 0).label("segments"),
        func.coalesce(_COUNTED.c.words, 0).label("words"),
    )
    .outerjoin(_COUNTED, _COUNTED.c.dataset_id == Dataset.id)
    .where(Dataset.deleted_at.is_(None))
)

_LIST_BINDINGS = text(
    """
SELECT app.code AS app, binding.file_dataset_id
FROM dataset_bindings binding JOIN apps app ON app.id = binding.app_id
WHERE binding.dataset_id = :dataset_id ORDER BY 1, 2
"""
)

_LIST_KNOWN = text(
    """
SELECT wanted.id FROM unnest(CAST(:wanted AS text[])) AS wanted(id) WHERE EXISTS (
    SELECT FROM dataset_bindings binding
    JOIN datasets dataset ON dataset.id = binding.dataset_id AND dataset.deleted_at IS NULL
    WHERE binding.app_id = :app_id AND binding.file_dataset_id = wanted.id
) OR EXISTS (SELECT FROM datasets WHERE CAST(datasets.id AS text) = lower(wanted.id) AND deleted_at IS NULL)
"""
)

# An app's own binding counts before an id of this installation. What is no uuid is compared with no dataset: the cast
# would fail.
_LIST_WANTED = text(
    """
SELECT wanted.id AS wanted_id, dataset.id, dataset.search_method, dataset.embedding_provider, dataset.embedding_model,
    dataset.dimensions, dataset.score_threshold
FROM unnest(CAST(:wanted AS text[])) WITH ORDINALITY AS wanted(id, number)
LEFT JOIN dataset_bindings binding
    ON binding.app_id = CAST(:app_id AS uuid) AND binding.file_dataset_id = wanted.id
JOIN datasets dataset
    ON dataset.id = coalesce(binding.dataset_id, CASE WHEN wanted.id ~* :uuid THEN CAST(wanted.id AS uuid) END)
    AND dataset.deleted_at IS NULL
ORDER BY wanted.number
"""
)
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"

_LIST_REMOVED = text("SELECT id FROM datasets WHERE deleted_at IS NOT NULL")
_DELETE = text("DELETE FROM datasets WHERE id = :id")


def list_dataset_summaries() -> list[DatasetSummary]:
    """Return all datasets that are not removed, in no order."""
    return fetch_all(_SUMMARIES, {}, DatasetSummary)


def find_dataset_by_id(dataset_id: uuid.UUID) -> DatasetSummary | None:
    """Return the dataset of an id, unless it is removed."""
    return fetch_one(_SUMMARIES.where(Dataset.id == dataset_id), {}, DatasetSummary)


def find_dataset_by_name(name: str) -> DatasetSummary | None:
    """Return the dataset of a name."""
    return fetch_one(_SUMMARIES.where(Dataset.name == name), {}, DatasetSummary)


def list_bindings(dataset_id: uuid.UUID) -> list[BindingSummary]:
    """Return what apps call a dataset."""
    return fetch_all(_LIST_BINDINGS, {"dataset_id": dataset_id}, BindingSummary)


def list_known_dataset_ids(app_id: uuid.UUID, wanted: Sequence[str]) -> set[str]:
    """Return those of the ids that an app's file names which mean a dataset here."""
    return set(fetch_values(_LIST_KNOWN, {"wanted": list(wanted), "app_id": app_id}))


def list_wanted_datasets(app_id: str | None, wanted: Sequence[str]) -> list[WantedDataset]:
    """Return the datasets that these ids mean to an app, in the order asked for; without `app_id` no bindings count."""
    return fetch_all(_LIST_WANTED, {"wanted": list(wanted), "app_id": app_id, "uuid": _UUID}, WantedDataset)


def mark_dataset_removed(connection: Connection, dataset_id: uuid.UUID, moment: datetime.datetime) -> None:
    """Mark a dataset as removed and free its name."""
    changes = {"deleted_at": moment, "name": str(dataset_id)}
    execute(update(Dataset).where(Dataset.id == dataset_id).values(**changes), {}, connection)


def list_removed_dataset_ids() -> list[uuid.UUID]:
    """Return the ids of the datasets that are marked as removed."""
    return fetch_values(_LIST_REMOVED, {})


def delete_dataset(dataset_id: uuid.UUID) -> None:
    """Delete the row of a dataset that has no documents any more."""
    execute(_DELETE, {"id": dataset_id})
