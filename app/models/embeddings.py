"""The embeddings of a dataset: a table of their own for each, with as many dimensions as its model gives.

So an index holds what one search looks at and nothing else, two models never meet, a dataset is dropped at once, and a database without
pgvector has all other tables. Rows go with their segment's by hand: a foreign key would fire once for each such table.
"""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

PREFIX = "embeddings_"
LEAST_VERSION = (0, 8)
# What pgvector's index takes of half-precision numbers.
MOST_DIMENSIONS = 4_000
# Below, looking at every row is as quick and misses nothing.
INDEXED_FROM = 10_000


def table_of(dataset_id: uuid.UUID | str) -> str:
    """The name of a dataset's table."""
    return PREFIX + uuid.UUID(str(dataset_id)).hex


def is_migrated(item: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Alembic's `include_object`: these tables come and go with datasets, not with migrations."""
    return not (kind == "table" and (name or "").startswith(PREFIX))


def literal(vector: Sequence[float]) -> str:
    """A vector as pgvector reads it, of length 1, so that no number is too large for half precision."""
    length = math.sqrt(math.fsum(value * value for value in vector)) or 1.0
    return orjson.dumps([round(value / length, 7) for value in vector]).decode()


def extension_version(connection: Connection) -> tuple[int, ...] | None:
    """Of pgvector, where this database has it."""
    found = connection.execute(
        text("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    ).scalar_one_or_none()
    return None if found is None else tuple(int(part) for part in found.split(".")[:2])


def create_table(connection: Connection, dataset_id: uuid.UUID, dimensions: int) -> None:
    table = table_of(dataset_id)
    connection.execute(
        text(
            f"CREATE TABLE {table} (segment_id uuid PRIMARY KEY, document_id uuid NOT NULL, embedding halfvec({dimensions:d}) NOT NULL)"
        )
    )
    # A vector of a thousand dimensions in the row itself: a search that reads them all does not fetch each one elsewhere.
    connection.execute(text(f"ALTER TABLE {table} ALTER COLUMN embedding SET STORAGE PLAIN"))
    connection.execute(text(f"CREATE INDEX {table}_documents ON {table} (document_id)"))


def drop_table(connection: Connection, dataset_id: uuid.UUID) -> None:
    connection.execute(text(f"DROP TABLE IF EXISTS {table_of(dataset_id)}"))


def insert(
    connection: Connection, dataset_id: uuid.UUID, document_id: uuid.UUID, vectors: Mapping[uuid.UUID, str]
) -> None:
    """Store the vectors (see `literal`) of a document's segments."""
    statement = text(
        f"INSERT INTO {table_of(dataset_id)} (segment_id, document_id, embedding)"
        " SELECT CAST(row.id AS uuid), :document_id, CAST(row.embedding AS halfvec)"
        " FROM unnest(CAST(:ids AS text[]), CAST(:vectors AS text[])) AS row(id, embedding)"
    )
    values = {"document_id": document_id, "ids": [str(key) for key in vectors], "vectors": list(vectors.values())}
    connection.execute(statement, values)


def delete(connection: Connection, dataset_id: uuid.UUID, document_ids: Sequence[uuid.UUID]) -> None:
    """Remove those of documents."""
    statement = text(f"DELETE FROM {table_of(dataset_id)} WHERE document_id = ANY(CAST(:ids AS uuid[]))")
    connection.execute(statement, {"ids": [str(key) for key in document_ids]})


def known_vectors(connection: Connection, dataset_id: uuid.UUID, name: str, hashes: Sequence[str]) -> dict[str, str]:
    """By hash of the content, what documents of this name have already: of an older version, or of a beginning that was cut off."""
    statement = text(
        "SELECT DISTINCT ON (segment.index_node_hash) segment.index_node_hash, CAST(known.embedding AS text)"
        f" FROM documents document JOIN segments segment ON segment.document_id = document.id"
        f" JOIN {table_of(dataset_id)} known ON known.segment_id = segment.id"
        " WHERE document.dataset_id = :dataset_id AND document.name = :name AND segment.index_node_hash = ANY(:hashes)"
    )
    values = {"dataset_id": dataset_id, "name": name, "hashes": list(hashes)}
    return {row[0]: row[1] for row in connection.execute(statement, values)}


def needs_index(connection: Connection, dataset_id: uuid.UUID) -> bool:
    """Whether there are so many rows that an index pays, and there is none."""
    table = table_of(dataset_id)
    if connection.execute(text("SELECT to_regclass(:name)"), {"name": f"{table}_nearest"}).scalar_one() is not None:
        return False
    rows = connection.execute(
        text(f"SELECT count(*) FROM (SELECT FROM {table} LIMIT :most) AS first_rows"), {"most": INDEXED_FROM}
    )
    return int(rows.scalar_one()) >= INDEXED_FROM


def create_index(connection: Connection, dataset_id: uuid.UUID, helpers: bool) -> None:
    """Index all rows at once, which is some times quicker than row by row. Searches go on meanwhile.

    With `helpers` the server's parallel workers help, which takes shared memory that containers may lack.
    """
    table = table_of(dataset_id)
    connection.execute(text("SELECT set_config('maintenance_work_mem', '512MB', true)"))
    if not helpers:
        connection.execute(text("SELECT set_config('max_parallel_maintenance_workers', '0', true)"))
    connection.execute(
        text(f"CREATE INDEX IF NOT EXISTS {table}_nearest ON {table} USING hnsw (embedding halfvec_cosine_ops)")
    )
