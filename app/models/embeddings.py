"""The embeddings of a dataset: each dataset has a table of its own, with as many dimensions as its model gives.

So an index holds what one search looks at and nothing else, two models never meet, a dataset is dropped at once, and a
database without pgvector has all other tables. Rows are deleted beside those of their segments: a foreign key would
fire once for each such table.
"""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, text

from app.models.execution import execute, fetch_all, fetch_value

PREFIX = "embeddings_"
LEAST_VERSION = (0, 8)
# What pgvector's index takes of half-precision numbers.
MOST_DIMENSIONS = 4_000
# Below, looking at every row is as quick and misses nothing.
INDEXED_FROM = 10_000


class KnownVector(NamedTuple):
    """A stored vector as pgvector writes it, and the hash of the content that it is of."""

    index_node_hash: str
    embedding: str


_EXTENSION_VERSION = text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
_CREATE_EXTENSION = text("CREATE EXTENSION IF NOT EXISTS vector")
_FIND_INDEX = text("SELECT to_regclass(:name)")
_MORE_MEMORY = text("SELECT set_config('maintenance_work_mem', '512MB', true)")
_NO_HELPERS = text("SELECT set_config('max_parallel_maintenance_workers', '0', true)")


def table_of(dataset_id: uuid.UUID | str) -> str:
    """Return the name of a dataset's table. It holds letters and digits alone, so that SQL may contain it."""
    return PREFIX + uuid.UUID(str(dataset_id)).hex


def is_migrated(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Return False for tables of embeddings: they come and go with datasets (Alembic's `include_object`)."""
    return not (kind == "table" and (name or "").startswith(PREFIX))


def literal(vector: Sequence[float]) -> str:
    """Return a vector as pgvector reads it, of length 1, so that no number is too large for half precision."""
    length = math.sqrt(math.fsum(value * value for value in vector)) or 1.0
    return orjson.dumps([round(value / length, 7) for value in vector]).decode()


def extension_version(connection: Connection) -> tuple[int, ...] | None:
    """Return the version of pgvector, major and minor, where this database has it."""
    found: str | None = fetch_value(_EXTENSION_VERSION, {}, connection)
    return None if found is None else tuple(int(part) for part in found.split(".")[:2])


def create_extension(connection: Connection) -> None:
    """Make the extension pgvector. Raises sqlalchemy.exc.DBAPIError where it is not installed or not allowed."""
    execute(_CREATE_EXTENSION, {}, connection)


def create_table(connection: Connection, dataset_id: uuid.UUID, dimensions: int) -> None:
    """Make the table of a dataset."""
    table = table_of(dataset_id)
    columns = f"segment_id uuid PRIMARY KEY, document_id uuid NOT NULL, embedding halfvec({dimensions:d}) NOT NULL"
    execute(text(f"CREATE TABLE {table} ({columns})"), {}, connection)
    # A vector of a thousand dimensions in the row itself: a search that reads them all does not fetch each one
    # elsewhere.
    execute(text(f"ALTER TABLE {table} ALTER COLUMN embedding SET STORAGE PLAIN"), {}, connection)
    execute(text(f"CREATE INDEX {table}_documents ON {table} (document_id)"), {}, connection)


def drop_table(dataset_id: uuid.UUID, connection: Connection | None = None) -> None:
    """Remove the table of a dataset, if there is one."""
    execute(text(f"DROP TABLE IF EXISTS {table_of(dataset_id)}"), {}, connection)


def insert_vectors(
    connection: Connection, dataset_id: uuid.UUID, document_id: uuid.UUID, vectors: Mapping[uuid.UUID, str]
) -> None:
    """Store the vectors (see `literal`) of a document's segments, by segment id."""
    statement = text(
        f"""
INSERT INTO {table_of(dataset_id)} (segment_id, document_id, embedding)
SELECT CAST(row.id AS uuid), :document_id, CAST(row.embedding AS halfvec)
FROM unnest(CAST(:ids AS text[]), CAST(:vectors AS text[])) AS row(id, embedding)
"""
    )
    values = {"document_id": document_id, "ids": [str(key) for key in vectors], "vectors": list(vectors.values())}
    execute(statement, values, connection)


def delete_vectors(connection: Connection, dataset_id: uuid.UUID, document_ids: Sequence[uuid.UUID]) -> None:
    """Delete the vectors of documents."""
    statement = text(f"DELETE FROM {table_of(dataset_id)} WHERE document_id = ANY(CAST(:ids AS uuid[]))")
    execute(statement, {"ids": [str(key) for key in document_ids]}, connection)


def known_vectors(dataset_id: uuid.UUID, name: str, hashes: Sequence[str]) -> dict[str, str]:
    """Return the vectors that documents of this name have already, by the hash of the content.

    They are of an older version of the document, or of a try that was cut off.
    """
    statement = text(
        f"""
SELECT DISTINCT ON (segment.index_node_hash) segment.index_node_hash, CAST(known.embedding AS text)
FROM documents document JOIN segments segment ON segment.document_id = document.id
JOIN {table_of(dataset_id)} known ON known.segment_id = segment.id
WHERE document.dataset_id = :dataset_id AND document.name = :name AND segment.index_node_hash = ANY(:hashes)
"""
    )
    values = {"dataset_id": dataset_id, "name": name, "hashes": list(hashes)}
    return {row.index_node_hash: row.embedding for row in fetch_all(statement, values, KnownVector)}


def needs_index(dataset_id: uuid.UUID) -> bool:
    """Return whether there are so many rows that an index pays, and there is none."""
    table = table_of(dataset_id)
    if fetch_value(_FIND_INDEX, {"name": f"{table}_nearest"}) is not None:
        return False
    counted = text(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT :most) AS first_rows")
    return int(fetch_value(counted, {"most": INDEXED_FROM})) >= INDEXED_FROM


def create_index(connection: Connection, dataset_id: uuid.UUID, helpers: bool) -> None:
    """Index all rows at once, which is some times quicker than row by row. Searches go on meanwhile.

    With `helpers` the server's parallel workers help, which takes shared memory that containers may lack.
    """
    table = table_of(dataset_id)
    execute(_MORE_MEMORY, {}, connection)
    if not helpers:
        execute(_NO_HELPERS, {}, connection)
    nearest = f"{table}_nearest ON {table} USING hnsw (embedding halfvec_cosine_ops)"
    execute(text(f"CREATE INDEX IF NOT EXISTS {nearest}"), {}, connection)


def analyze_vectors(dataset_id: uuid.UUID) -> None:
    """Have PostgreSQL count rows anew, for quick searches."""
    execute(text(f"ANALYZE {table_of(dataset_id)}"), {})
