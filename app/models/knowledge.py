"""Knowledge: datasets, their documents, the segments that are searched, and what app files call a dataset.

Embeddings are not here: each dataset that has them has a table of its own (`app/models/embeddings.py`).
"""

import datetime
import uuid
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, text, true
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Base
from app.models.identifiers import new_id, now

INDEXING = "indexing"
COMPLETED = "completed"
ERROR = "error"


class Dataset(Base):
    """A body of knowledge and how it is searched. Without `embedding_model` it has words alone.

    `top_k` is what a search takes that names no other; `score_threshold` (0 to 1) holds for apps that set none.
    A removed dataset has `deleted_at` and a name that nobody can ask for, until its rows are gone.
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
    """A piece of a document that is found and cited as one. `position` counts from 1; `words` as `app/services/knowledge/search_terms.py` makes them."""

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


class DatasetBinding(Base):
    """Which dataset an app means by an id of its file."""

    __tablename__ = "dataset_bindings"
    __table_args__ = (Index(None, "dataset_id"),)

    app_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    file_dataset_id: Mapped[str] = mapped_column(String(512), primary_key=True)
    dataset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
