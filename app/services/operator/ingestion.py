"""Files into a dataset: text, segments, embeddings, rows.

A document is searched as a whole, from the moment its last segment is stored. In the same moment it replaces the
document of its name.
What a killed process leaves is never searched; the next try takes over the embeddings that are there.
"""

import hashlib
import math
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import OperationalError

from app.errors import ProviderError
from app.extensions import db
from app.models import Document, embeddings
from app.models.datasets import DatasetSummary
from app.models.documents import (
    analyze_documents,
    complete_document,
    delete_named_documents,
    fail_document,
    find_searched_document,
    insert_segments,
    lock_wanted_document,
)
from app.models.identifiers import new_id, now
from app.providers.cancellation import Cancellation
from app.providers.documents.document_texts import (
    DocumentUnreadable,
    DocumentUnsupported,
    extract_passages,
)
from app.providers.models.embeddings import BATCH
from app.services.knowledge import search_terms
from app.services.knowledge.segmenting import Piece, segments
from app.services.operator.datasets import DatasetRefused
from app.services.process.providers import model_routes

LARGEST_FILE = 256 * 1024 * 1024
ATTEMPTS = 6
# Containers have little shared memory, and PostgreSQL takes it for a full disk.
_NO_SHARED_MEMORY = ("53100", "53200")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class AddedDocument:
    """A file in a dataset.

    `outcome` is `added`, `replaced` or `unchanged`; `embedded` counts the segments that the model was asked for.
    """

    id: uuid.UUID
    name: str
    outcome: str
    segments: int
    words: int
    embedded: int


def add(
    dataset: DatasetSummary, name: str, content: bytes, metadata: Mapping[str, Any], progress: Progress
) -> AddedDocument:
    """Add a file, or replace the one of its name; `progress` is told (segments stored, segments in all).

    Raises DatasetRefused; then what was searched before is searched still.
    """
    if not 1 <= len(name) <= 255:
        raise DatasetRefused("A document's name has 1 to 255 characters.")
    if len(content) > LARGEST_FILE:
        raise DatasetRefused(f"The file is larger than {LARGEST_FILE // 1024 // 1024} MB.")
    fingerprint = hashlib.sha256(content).hexdigest()
    known = find_searched_document(dataset.id, name)
    if known is not None and known.fingerprint == fingerprint and own_metadata(known.metadata) == dict(metadata):
        return AddedDocument(known.id, name, "unchanged", known.segment_count, known.word_count, 0)
    pieces = _pieces(name, content)
    details = {"document_name": name, "source": "file_upload", "upload_date": int(now().timestamp())} | dict(metadata)
    document = Document(
        id=new_id(),
        dataset_id=dataset.id,
        name=name,
        fingerprint=fingerprint,
        details=details,
        segment_count=len(pieces),
        word_count=sum(search_terms.count(piece.content) for piece in pieces),
        created_at=now(),
    )
    document_id, word_count = document.id, document.word_count
    db.session.add(document)
    db.session.commit()
    try:
        embedded = _store(dataset, document_id, name, pieces, progress)
    except ProviderError as error:
        _fail(document_id, error.message)
        raise DatasetRefused(f"The embedding model does not answer: {error.message}") from None
    _complete(dataset, document_id, name)
    return AddedDocument(document_id, name, "added" if known is None else "replaced", len(pieces), word_count, embedded)


def settle(dataset: DatasetSummary) -> None:
    """Index the embeddings where there are many, and count words again; for quick searches, after files were added."""
    if dataset.dimensions is not None and embeddings.needs_index(dataset.id):
        _index(dataset.id)
    analyze_documents()
    if dataset.dimensions is not None:
        embeddings.analyze_vectors(dataset.id)


def own_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What was given with the file."""
    return {name: value for name, value in metadata.items() if name not in ("document_name", "source", "upload_date")}


def _pieces(name: str, content: bytes) -> list[Piece]:
    extension = name.rpartition(".")[2] if "." in name else ""
    try:
        passages = extract_passages(content, extension, "", math.inf, Cancellation())
    except DocumentUnsupported as unsupported:
        raise DatasetRefused(str(unsupported)) from None
    except DocumentUnreadable as unreadable:
        raise DatasetRefused(unreadable.cause) from None
    pieces = segments(passages)
    if not pieces:
        raise DatasetRefused("There is no text in the file (scanned pages are pictures, not text).")
    return pieces


def _store(
    dataset: DatasetSummary, document_id: uuid.UUID, name: str, pieces: Sequence[Piece], progress: Progress
) -> int:
    embedded = 0
    for start in range(0, len(pieces), BATCH):
        progress(start, len(pieces))
        batch = pieces[start : start + BATCH]
        rows = [_row(dataset.id, document_id, start + offset, piece) for offset, piece in enumerate(batch, 1)]
        vectors, asked = _vectors(dataset, name, rows)
        embedded += asked
        with db.engine.begin() as connection:
            if not lock_wanted_document(connection, document_id):
                raise DatasetRefused("The dataset was removed meanwhile, or somebody else added a file of this name.")
            insert_segments(connection, rows)
            if vectors:
                embeddings.insert_vectors(connection, dataset.id, document_id, vectors)
    progress(len(pieces), len(pieces))
    return embedded


def _row(dataset_id: uuid.UUID, document_id: uuid.UUID, position: int, piece: Piece) -> dict[str, Any]:
    return {
        "id": new_id(),
        "dataset_id": dataset_id,
        "document_id": document_id,
        "position": position,
        "content": piece.content,
        "page": piece.page,
        "title": piece.title,
        "word_count": search_terms.count(piece.content),
        "hit_count": 0,
        "index_node_hash": hashlib.sha256(piece.content.encode("utf-8", "replace")).hexdigest(),
        "words": search_terms.index_text(f"{piece.content}\n{piece.title or ''}"),
    }


def _vectors(dataset: DatasetSummary, name: str, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[uuid.UUID, str], int]:
    """A vector for each row, and how many the model was asked for. No connection is held meanwhile."""
    if dataset.dimensions is None or dataset.embedding_model is None:
        return {}, 0
    known = embeddings.known_vectors(dataset.id, name, [row["index_node_hash"] for row in rows])
    missing = {row["index_node_hash"]: row["content"] for row in rows if row["index_node_hash"] not in known}
    if missing:
        model = model_routes().embedding_model(dataset.embedding_provider or "", dataset.embedding_model)
        found = model.embed(list(missing.values()), Cancellation(), dimensions=dataset.dimensions, attempts=ATTEMPTS)
        known |= {key: embeddings.literal(vector) for key, vector in zip(missing, found, strict=True)}
    return {row["id"]: known[row["index_node_hash"]] for row in rows}, len(missing)


def _complete(dataset: DatasetSummary, document_id: uuid.UUID, name: str) -> None:
    with db.engine.begin() as connection:
        delete_named_documents(connection, dataset.id, name, dataset.dimensions is not None, but=document_id)
        if not complete_document(connection, document_id):
            raise DatasetRefused("The dataset was removed meanwhile, or somebody else added a file of this name.")


def _fail(document_id: uuid.UUID, problem: str) -> None:
    fail_document(db.session.connection(), document_id, problem)
    db.session.commit()


def _index(dataset_id: uuid.UUID) -> None:
    try:
        with db.engine.begin() as connection:
            embeddings.create_index(connection, dataset_id, helpers=True)
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) not in _NO_SHARED_MEMORY:
            raise
        with db.engine.begin() as connection:
            embeddings.create_index(connection, dataset_id, helpers=False)
