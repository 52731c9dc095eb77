"""Datasets as an operator sees them: make, list, show, remove, bind to what app files call them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError

from app.errors import ProviderError
from app.extensions import db
from app.models import Dataset, DatasetBinding, embeddings
from app.models.datasets import (
    BindingSummary,
    DatasetSummary,
    delete_dataset,
    find_dataset_by_id,
    find_dataset_by_name,
    list_bindings,
    list_dataset_summaries,
    list_removed_dataset_ids,
    mark_dataset_removed,
)
from app.models.documents import DocumentSummary, delete_named_documents, list_documents, purge_documents
from app.models.identifiers import new_id, now
from app.providers.cancellation import Cancellation
from app.services.operator import apps
from app.services.process.providers import model_routes

log = structlog.get_logger(__name__)

METHODS = ("hybrid", "semantic", "full_text")
TRY_SECONDS = 60.0


class DatasetRefused(Exception):
    """What an operator asked for cannot be done; the text is one line that says why."""


@dataclass(frozen=True)
class DatasetSettings:
    """How a dataset is searched. `search_method` None: hybrid with an embedding model, else full text."""

    search_method: str | None = None
    embedding_provider: str = "openai"
    embedding_model: str | None = None
    top_k: int = 4
    score_threshold: float | None = None


def create(name: str, settings: DatasetSettings) -> tuple[DatasetSummary, tuple[str, ...]]:
    """Make an empty dataset; gives it, and what the operator should know.

    An embedding model is tried, for its dimensions. Raises DatasetRefused.
    """
    name = name.strip()
    if not 1 <= len(name) <= 255:
        raise DatasetRefused("A dataset's name has 1 to 255 characters.")
    if settings.embedding_model is None and settings.search_method not in (None, "full_text"):
        raise DatasetRefused(f"To search by {settings.search_method}, name an embedding model.")
    problem = _extension_problem() if settings.embedding_model else ""
    if problem and settings.search_method == "semantic":
        raise DatasetRefused(f"{problem} Without it a dataset cannot be searched by meaning.")
    warnings = (f"{problem} The dataset is searched by full text alone.",) if problem else ()
    embedded = settings.embedding_model is not None and not problem
    dataset = Dataset(
        id=new_id(),
        name=name,
        search_method=(settings.search_method or "hybrid") if embedded else "full_text",
        top_k=settings.top_k,
        score_threshold=settings.score_threshold,
        created_at=now(),
    )
    if embedded:
        dataset.embedding_provider, dataset.embedding_model = settings.embedding_provider, settings.embedding_model
        dataset.dimensions = _dimensions(settings)
    dataset_id, dimensions = dataset.id, dataset.dimensions
    db.session.add(dataset)
    try:
        db.session.flush()
    except IntegrityError:
        db.session.rollback()
        raise DatasetRefused(f"There is a dataset {name!r} already.") from None
    if dimensions is not None:
        embeddings.create_table(db.session.connection(), dataset_id, dimensions)
    db.session.commit()
    return find(str(dataset_id)), warnings


def list_datasets() -> list[DatasetSummary]:
    """All datasets, by name."""
    return sorted(list_dataset_summaries(), key=lambda dataset: dataset.name.casefold())


def find(wanted: str) -> DatasetSummary:
    """The dataset of a name or an id. Raises DatasetRefused where there is none."""
    dataset_id = _as_uuid(wanted)
    dataset = find_dataset_by_name(wanted) if dataset_id is None else find_dataset_by_id(dataset_id)
    if dataset is None:
        raise DatasetRefused(
            f"There is no dataset {wanted!r}: `.venv/bin/flask --app wsgi datasets list` shows what there is."
        )
    return dataset


def documents(dataset_id: uuid.UUID) -> list[DocumentSummary]:
    """The documents of a dataset by name, those that are not finished too."""
    return list_documents(dataset_id)


def bindings(dataset_id: uuid.UUID) -> list[BindingSummary]:
    """What apps call a dataset."""
    return list_bindings(dataset_id)


def bind(code: str, file_dataset_id: str, wanted: str) -> DatasetSummary:
    """Bind an id of an app's file to a dataset, in place of an earlier binding. Raises AppRefused, DatasetRefused."""
    if not 1 <= len(file_dataset_id) <= 512:
        raise DatasetRefused("A dataset id of an app file has 1 to 512 characters.")
    dataset, app = find(wanted), apps.find(code)
    db.session.merge(DatasetBinding(app_id=app.id, file_dataset_id=file_dataset_id, dataset_id=dataset.id))
    db.session.commit()
    return dataset


def remove(wanted: str) -> DatasetSummary:
    """Remove a dataset: it is gone at once, its segments' rows go in the background. Raises DatasetRefused."""
    dataset = find(wanted)
    # The name is free again.
    mark_dataset_removed(db.session.connection(), dataset.id, now())
    db.session.commit()
    embeddings.drop_table(dataset.id, db.session.connection())
    db.session.commit()
    return dataset


def remove_documents(wanted: str, names: Sequence[str]) -> list[str]:
    """Remove documents by name, unfinished ones too; gives the names that there were not. Raises DatasetRefused."""
    dataset = find(wanted)
    missing = []
    for name in names:
        has_vectors = dataset.dimensions is not None
        if not delete_named_documents(db.session.connection(), dataset.id, name, has_vectors):
            missing.append(name)
        db.session.commit()
    return missing


def purge(most: int = 20) -> None:
    """Remove the rows of removed datasets, so many documents in a statement."""
    while purge_documents(most):
        pass
    for dataset_id in list_removed_dataset_ids():
        # Whoever removed it may have been killed before.
        embeddings.drop_table(dataset_id)
        delete_dataset(dataset_id)


def _extension_problem() -> str:
    """Why there can be no embeddings; empty where there can. Makes the extension where that is allowed."""
    least = ".".join(map(str, embeddings.LEAST_VERSION))
    try:
        with db.engine.begin() as connection:
            # Asked first: making one that is there already needs a right as well.
            if embeddings.extension_version(connection) is None:
                embeddings.create_extension(connection)
            version = embeddings.extension_version(connection)
    except DBAPIError as error:
        log.warning("pgvector.missing", error=str(error.orig).strip())
        return "The database has no extension `vector` (pgvector), and this user cannot create it."
    if version is None or version < embeddings.LEAST_VERSION:
        return f"The database's extension `vector` (pgvector) is older than {least}."
    return ""


def _dimensions(settings: DatasetSettings) -> int:
    name = settings.embedding_model or ""
    try:
        model = model_routes().embedding_model(settings.embedding_provider, name)
        dimensions = len(model.embed(["dimensions"], Cancellation(), attempts=3)[0])
    except ProviderError as error:
        raise DatasetRefused(
            f"The embedding model {name!r} of {settings.embedding_provider!r} does not answer: {error.message}"
        ) from None
    if dimensions > embeddings.MOST_DIMENSIONS:
        raise DatasetRefused(
            f"The embedding model {name!r} gives {dimensions} dimensions;"
            f" at most {embeddings.MOST_DIMENSIONS} can be indexed."
        )
    return dimensions


def _as_uuid(value: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(value)
    except ValueError:
        return None
