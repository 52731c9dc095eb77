"""Documents of datasets, and the segments of them that are searched."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, ForeignKey, Index, Integer, String, Text, insert, select, text, true, update
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.embeddings import delete_vectors
from app.models.execution import execute, fetch_all, fetch_one, fetch_value, fetch_values
from app.models.identifiers import new_id, now

INDEXING = "indexing"
COMPLETED = "completed"
ERROR = "error"


class Document(Base):
    """One file of a dataset. Searched once it is `completed`, as a whole; a name is completed once in a dataset.

    `fingerprint` is of the file's content; `metadata` holds what conditions ask for.
    """

    __tablename__ = "documents"
    __table_args__ = (
        Index("documents_by_dataset", "dataset_id", "name"),
        Index("documents_completed", "dataset_id", "name", unique=True, postgresql_where=text("status = 'completed'")),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    source: Mapped[str] = mapped_column(String(32), server_default="upload_file", default="upload_file")
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), server_default=INDEXING, default=INDEXING)
    error: Mapped[str | None] = mapped_column(Text)
    enabled: Mapped[bool] = mapped_column(server_default=true(), default=True)
    word_count: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    segment_count: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    details: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB)
    created_at: Mapped[datetime.datetime] = mapped_column(TIMESTAMP(timezone=True), default=now)


class Segment(Base):
    """A piece of a document that is found and cited as one.

    `position` counts from 1; `words` as `app/services/knowledge/search_terms.py` makes them.
    """

    __tablename__ = "segments"
    __table_args__ = (
        Index("segments_by_document", "document_id", "position"),
        Index("segments_by_dataset", "dataset_id"),
        Index("segments_words", "words", postgresql_using="gin"),
        # Room on each page: counting a hit then leaves the indexes alone.
        {"postgresql_with": {"fillfactor": 90}},
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dataset_id: Mapped[uuid.UUID]
    document_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    content: Mapped[str] = mapped_column(Text)
    page: Mapped[int | None] = mapped_column(Integer)
    title: Mapped[str | None] = mapped_column(Text)
    word_count: Mapped[int] = mapped_column(Integer)
    hit_count: Mapped[int] = mapped_column(Integer, server_default=text("0"), default=0)
    index_node_hash: Mapped[str] = mapped_column(String(64))
    words: Mapped[Any] = mapped_column(TSVECTOR)


@dataclass(frozen=True)
class DocumentSummary:
    """One document. `status` is `completed`, `indexing` (or cut off while it was) or `error`."""

    id: uuid.UUID
    name: str
    status: str
    error: str | None
    segments: int
    words: int
    metadata: dict[str, Any]
    created_at: datetime.datetime


@dataclass(frozen=True)
class SearchedDocument:
    """A document that is searched. `fingerprint` is of the file's content."""

    id: uuid.UUID
    fingerprint: str
    metadata: dict[str, Any]
    segment_count: int
    word_count: int


# The document is locked against deletion until the segments are stored.
_LOCK_WANTED = text(
    """
SELECT document.id FROM documents document JOIN datasets dataset ON dataset.id = document.dataset_id
WHERE document.id = :id AND dataset.deleted_at IS NULL FOR KEY SHARE
"""
)
# In one order: two that replace the same documents would lock each other out.
_LOCK_OF_NAME = text(
    """
SELECT id FROM documents
WHERE dataset_id = :dataset_id AND name = :name AND id IS DISTINCT FROM CAST(:but AS uuid) ORDER BY id FOR UPDATE
"""
)
_DELETE = text("DELETE FROM documents WHERE id = ANY(CAST(:ids AS uuid[]))")
_DELETE_OF_REMOVED = text(
    """
DELETE FROM documents WHERE id IN (
    SELECT document.id FROM documents document JOIN datasets dataset ON dataset.id = document.dataset_id
    WHERE dataset.deleted_at IS NOT NULL LIMIT :most FOR UPDATE OF document SKIP LOCKED
)
"""
)
_LIST_METADATA_FIELDS = text(
    """
SELECT DISTINCT jsonb_object_keys(metadata) FROM documents
WHERE dataset_id = ANY(CAST(:ids AS uuid[])) AND status = 'completed' AND enabled ORDER BY 1
"""
)
_ANALYZE = text("ANALYZE documents, segments")


def list_documents(dataset_id: uuid.UUID) -> list[DocumentSummary]:
    """Return the documents of a dataset by name, those that are not finished too."""
    columns = (
        Document.id,
        Document.name,
        Document.status,
        Document.error,
        Document.segment_count.label("segments"),
        Document.word_count.label("words"),
        Document.details.label("metadata"),
        Document.created_at,
    )
    statement = select(*columns).where(Document.dataset_id == dataset_id)
    return fetch_all(statement.order_by(Document.name, Document.created_at), {}, DocumentSummary)


def find_searched_document(dataset_id: uuid.UUID, name: str) -> SearchedDocument | None:
    """Return the document of a name that is searched."""
    statement = select(
        Document.id,
        Document.fingerprint,
        Document.details.label("metadata"),
        Document.segment_count,
        Document.word_count,
    ).where(Document.dataset_id == dataset_id, Document.name == name, Document.status == COMPLETED)
    return fetch_one(statement, {}, SearchedDocument)


def list_metadata_fields(dataset_ids: Sequence[uuid.UUID]) -> list[str]:
    """Return the names of the metadata that the searched documents of these datasets have."""
    return fetch_values(_LIST_METADATA_FIELDS, {"ids": [str(key) for key in dataset_ids]})


def lock_wanted_document(connection: Connection, document_id: uuid.UUID) -> bool:
    """Keep a document from being deleted until the transaction ends; False where it or its dataset is gone."""
    return fetch_value(_LOCK_WANTED, {"id": document_id}, connection) is not None


def insert_segments(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store segments: values by the columns of `Segment`, `words` as a text that PostgreSQL reads as tsvector."""
    connection.execute(insert(Segment), rows)


def complete_document(connection: Connection, document_id: uuid.UUID) -> bool:
    """Let a document be searched; False where it is gone."""
    statement = update(Document).where(Document.id == document_id).values(status=COMPLETED)
    return execute(statement, {}, connection) > 0


def fail_document(connection: Connection, document_id: uuid.UUID, error: str) -> None:
    """Store why a document cannot be searched."""
    execute(update(Document).where(Document.id == document_id).values(status=ERROR, error=error), {}, connection)


def delete_named_documents(
    connection: Connection, dataset_id: uuid.UUID, name: str, has_vectors: bool, but: uuid.UUID | None = None
) -> int:
    """Delete all documents of a name but one, with their segments and vectors; return how many."""
    values = {"dataset_id": dataset_id, "name": name, "but": None if but is None else str(but)}
    found = fetch_values(_LOCK_OF_NAME, values, connection)
    if found and has_vectors:
        delete_vectors(connection, dataset_id, found)
    execute(_DELETE, {"ids": [str(key) for key in found]}, connection)
    return len(found)


def purge_documents(most: int) -> int:
    """Delete documents of datasets that are marked as removed; return how many."""
    return execute(_DELETE_OF_REMOVED, {"most": most})


def analyze_documents() -> None:
    """Have PostgreSQL count words and rows anew, for quick searches."""
    execute(_ANALYZE, {})
