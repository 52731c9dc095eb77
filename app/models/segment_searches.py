"""The searches in segments: by meaning in a dataset, by words in several, and what is told of those that were chosen."""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from app.models.embeddings import INDEXED_FROM, table_of

# A segment is looked at more closely where a search by words finds no more than about so many; of a query's common words the rarer ones choose.
CANDIDATES = 4_000
_VISIBLE = "document.status = 'completed' AND document.enabled"

Found = list[tuple[str, float]]


def limit_time(connection: Connection, seconds: float) -> None:
    """Statements of this transaction end after so long, with an OperationalError."""
    connection.execute(
        text("SELECT set_config('statement_timeout', :value, true)"), {"value": str(max(1, int(seconds * 1000)))}
    )


def by_meaning(
    connection: Connection, dataset_id: uuid.UUID, vector: str, most: int, condition: str, values: Mapping[str, Any]
) -> Found:
    """(segment id, cosine similarity), nearest first; `condition` is SQL on `document`, or empty."""
    extra, near = f" AND ({condition})" if condition else "", "row.embedding <=> CAST(:vector AS halfvec)"
    if condition and _few(connection, dataset_id, extra, values):
        # The index would have to be read on and on for what fits: look at all that fits instead.
        near = f"({near}) + 0"
    connection.execute(
        text(
            "SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', :width, true),"
            " set_config('jit', 'off', true)"
        ),
        {"width": str(min(1000, max(100, most * 2)))},
    )
    statement = text(
        f"SELECT CAST(row.segment_id AS text), 1 - (row.embedding <=> CAST(:vector AS halfvec)) FROM {table_of(dataset_id)} row"
        f" JOIN documents document ON document.id = row.document_id AND {_VISIBLE}{extra} ORDER BY {near} LIMIT :most"
    )
    rows = connection.execute(statement, {**values, "vector": vector, "most": most})
    return [(row[0], float(row[1])) for row in rows if not math.isnan(row[1])]


def by_words(
    connection: Connection,
    dataset_ids: Sequence[uuid.UUID],
    words: Sequence[str],
    most: int,
    condition: str,
    values: Mapping[str, Any],
) -> Found:
    """(segment id, 0 to 1), best first: rare words and repeated ones count more. `words` as `tsquery` reads each."""
    frequencies, total = _frequencies(connection, words)
    weights = [math.log(1 + 1 / frequencies[word]) for word in words]
    extra = f" AND ({condition})" if condition else ""
    statement = text(
        "WITH wanted AS (SELECT * FROM unnest(CAST(:words AS tsquery[]), CAST(:weights AS float8[])) AS wanted(word, weight)), candidate AS ("
        " SELECT segment.id, segment.words FROM segments segment JOIN documents document ON document.id = segment.document_id"
        f" WHERE segment.words @@ CAST(:gate AS tsquery) AND segment.dataset_id = ANY(CAST(:dataset_ids AS uuid[])) AND {_VISIBLE}{extra}"
        " LIMIT :candidates)"
        " SELECT CAST(candidate.id AS text), score.value / :whole FROM candidate"
        # Once out of its compressed form, for all the words.
        " CROSS JOIN LATERAL (SELECT ts_filter(candidate.words, '{a,b,c,d}') AS words OFFSET 0) AS plain"
        " CROSS JOIN LATERAL (SELECT sum(wanted.weight * ts_rank('{1,1,1,1}', plain.words, wanted.word)) AS value FROM wanted) AS score"
        " ORDER BY 2 DESC, candidate.id LIMIT :most"
    )
    given = {
        **values,
        "words": list(words),
        "weights": weights,
        "whole": sum(weights),
        "dataset_ids": [str(key) for key in dataset_ids],
        "most": most,
        "candidates": 2 * CANDIDATES,
    }
    connection.execute(text("SELECT set_config('jit', 'off', true)"))
    found: Found = []
    for gate in _gates(words, frequencies, total):
        found = [(row[0], float(row[1])) for row in connection.execute(statement, {**given, "gate": gate})]
        if len(found) >= most:
            break
    return found


def cite(connection: Connection, segment_ids: Sequence[str]) -> dict[str, Any]:
    """By id, the rows of segments with their document and dataset; counts the hit of each."""
    statement = text(
        # In one order, or two searches would wait for each other.
        "WITH locked AS (SELECT id FROM segments WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE)"
        " UPDATE segments segment SET hit_count = hit_count + 1 FROM locked, documents document, datasets dataset"
        " WHERE segment.id = locked.id AND document.id = segment.document_id AND dataset.id = segment.dataset_id"
        " RETURNING CAST(segment.id AS text), CAST(dataset.id AS text) AS dataset_id, dataset.name AS dataset_name,"
        " CAST(document.id AS text) AS document_id, document.name AS document_name, document.source, document.metadata AS details,"
        " segment.hit_count, segment.word_count, segment.position, segment.index_node_hash, segment.content, segment.page, segment.title"
    )
    return {row[0]: row for row in connection.execute(statement, {"ids": list(segment_ids)})}


def _few(connection: Connection, dataset_id: uuid.UUID, extra: str, values: Mapping[str, Any]) -> bool:
    statement = text(
        f"SELECT coalesce(sum(document.segment_count), 0) FROM documents document WHERE document.dataset_id = :dataset_id AND {_VISIBLE}{extra}"
    )
    return int(connection.execute(statement, {**values, "dataset_id": dataset_id}).scalar_one()) <= 2 * INDEXED_FROM


def _frequencies(connection: Connection, words: Sequence[str]) -> tuple[dict[str, float], float]:
    """The part of all segments that has each word, as far as the server's statistics tell, and how many segments there are about."""
    statement = text(
        "SELECT stats.word, stats.frequency, (SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = to_regclass('segments'))"
        " FROM (SELECT unnest(CAST(CAST(most_common_elems AS text) AS text[])) AS word, unnest(most_common_elem_freqs) AS frequency FROM pg_stats"
        " WHERE schemaname = ANY(current_schemas(false)) AND tablename = 'segments' AND attname = 'words') AS stats"
        " WHERE stats.word = ANY(:words) OR stats.word IS NULL"
    )
    rows = connection.execute(statement, {"words": [word.strip("'") for word in words]}).all()
    known = {row[0]: float(row[1]) for row in rows if row[0] is not None}
    total = float(rows[0][2]) if rows else 0.0
    # Behind the words' own stand the least and the greatest frequency.
    least = min((float(row[1]) for row in rows if row[0] is None), default=1.0)
    rare = max(least / 2, 1 / total) if total else 1.0
    return {word: min(1.0, max(known.get(word.strip("'"), rare), 1e-9)) for word in words}, total


def _gates(words: Sequence[str], frequencies: Mapping[str, float], total: float) -> list[str]:
    """Which segments are looked at: those with one of the rarer words; where all are common, first those with several of them."""
    rarest = sorted(words, key=lambda word: frequencies[word])
    chosen: list[str] = []
    expected = 0.0
    for word in rarest:
        expected += frequencies[word] * total
        if chosen and expected > CANDIDATES:
            break
        chosen.append(word)
    either = " | ".join(chosen)
    if frequencies[rarest[0]] * total <= CANDIDATES or len(rarest) == 1:
        return [either]
    return [" & ".join(rarest[:count]) for count in (4, 2) if len(rarest) >= count] + [either]
