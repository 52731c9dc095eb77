"""Searches in segments: by meaning in a dataset, by words in several, and what is told of those that were chosen.

They run in a transaction of their caller's, whose settings (time limit, planner) end with it.
"""

import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, text

from app.models.embeddings import INDEXED_FROM, table_of
from app.models.execution import execute, fetch_all, fetch_value
from app.models.metadata_conditions import SqlCondition

# A search by words that finds about so many segments looks at no more; of a query's common words the rarer ones choose.
CANDIDATES = 4_000
_VISIBLE = "document.status = 'completed' AND document.enabled"


class FoundSegment(NamedTuple):
    """A segment and how well it fits, 0 to 1 (by meaning: the cosine similarity)."""

    segment_id: str
    score: float


class SegmentContent(NamedTuple):
    """The text of a segment."""

    id: str
    content: str


class CitedSegment(NamedTuple):
    """A segment with its document and dataset. `source`: where the document came from; `details`: its metadata."""

    id: str
    dataset_id: str
    dataset_name: str
    document_id: str
    document_name: str
    source: str
    details: dict[str, Any]
    hit_count: int
    word_count: int
    position: int
    index_node_hash: str
    content: str
    page: int | None
    title: str | None


class _WordFrequency(NamedTuple):
    """The part of all segments that has a word, and how many segments there are.

    `word` is None for the least and the greatest part that any common word has.
    """

    word: str | None
    frequency: float
    total: float


_LIMIT_TIME = text("SELECT set_config('statement_timeout', :value, true)")
_WITHOUT_JIT = text("SELECT set_config('jit', 'off', true)")
_SEARCH_WIDTH = text(
    """
SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', :width, true),
    set_config('jit', 'off', true)
"""
)

# `ts_filter` with all weights gives the words as they are: OFFSET 0 keeps PostgreSQL from doing it again for each
# wanted word, so that they come out of their compressed form once.
_BY_WORDS = """
WITH wanted AS (
    SELECT * FROM unnest(CAST(:words AS tsquery[]), CAST(:weights AS float8[])) AS wanted(word, weight)
), candidate AS (
    SELECT segment.id, segment.words FROM segments segment JOIN documents document ON document.id = segment.document_id
    WHERE segment.words @@ CAST(:gate AS tsquery) AND segment.dataset_id = ANY(CAST(:dataset_ids AS uuid[]))
        AND {visible}{extra}
    LIMIT :candidates
)
SELECT CAST(candidate.id AS text) AS segment_id, score.value / :whole AS score FROM candidate
CROSS JOIN LATERAL (SELECT ts_filter(candidate.words, '{{a,b,c,d}}') AS words OFFSET 0) AS plain
CROSS JOIN LATERAL (
    SELECT sum(wanted.weight * ts_rank('{{1,1,1,1}}', plain.words, wanted.word)) AS value FROM wanted
) AS score
ORDER BY 2 DESC, candidate.id LIMIT :most
"""

# Segments are locked in one order, or two searches would wait for each other.
_CITE = text(
    """
WITH locked AS (
    SELECT id FROM segments WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR NO KEY UPDATE
)
UPDATE segments segment SET hit_count = hit_count + 1 FROM locked, documents document, datasets dataset
WHERE segment.id = locked.id AND document.id = segment.document_id AND dataset.id = segment.dataset_id
RETURNING CAST(segment.id AS text), CAST(dataset.id AS text) AS dataset_id, dataset.name AS dataset_name,
    CAST(document.id AS text) AS document_id, document.name AS document_name, document.source,
    document.metadata AS details, segment.hit_count, segment.word_count, segment.position, segment.index_node_hash,
    segment.content, segment.page, segment.title
"""
)
_CONTENTS = text("SELECT CAST(id AS text), content FROM segments WHERE id = ANY(CAST(:ids AS uuid[]))")

# What PostgreSQL's statistics of the column tell: the most common words, each with the part of the rows that has it.
# Behind the words' own frequencies stand the least and the greatest one, for which the list of words has no entry.
_FREQUENCIES = text(
    """
SELECT stats.word, stats.frequency,
    (SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = to_regclass('segments')) AS total
FROM (
    SELECT unnest(CAST(CAST(most_common_elems AS text) AS text[])) AS word,
        unnest(most_common_elem_freqs) AS frequency
    FROM pg_stats
    WHERE schemaname = ANY(current_schemas(false)) AND tablename = 'segments' AND attname = 'words'
) AS stats
WHERE stats.word = ANY(:words) OR stats.word IS NULL
"""
)


def limit_time(connection: Connection, seconds: float) -> None:
    """Let statements of this transaction end after so long, with a sqlalchemy.exc.OperationalError."""
    execute(_LIMIT_TIME, {"value": str(max(1, int(seconds * 1000)))}, connection)


def find_by_meaning(
    connection: Connection, dataset_id: uuid.UUID, vector: str, most: int, condition: SqlCondition
) -> list[FoundSegment]:
    """Return the segments of a dataset whose vectors are nearest, nearest first; `condition` is on their documents."""
    extra, near = _and(condition), "row.embedding <=> CAST(:vector AS halfvec)"
    if condition.sql and _has_few_segments(connection, dataset_id, condition):
        # The index would have to be read on and on for what fits: look at all that fits instead.
        near = f"({near}) + 0"
    execute(_SEARCH_WIDTH, {"width": str(min(1000, max(100, most * 2)))}, connection)
    statement = text(
        f"""
SELECT CAST(row.segment_id AS text), 1 - (row.embedding <=> CAST(:vector AS halfvec)) AS score
FROM {table_of(dataset_id)} row JOIN documents document ON document.id = row.document_id AND {_VISIBLE}{extra}
ORDER BY {near} LIMIT :most
"""
    )
    found = fetch_all(statement, {**condition.values, "vector": vector, "most": most}, FoundSegment, connection)
    # A vector of zeros is at no distance from any other.
    return [segment for segment in found if not math.isnan(segment.score)]


def find_by_words(
    connection: Connection,
    dataset_ids: Sequence[uuid.UUID],
    words: Sequence[str],
    most: int,
    condition: SqlCondition,
) -> list[FoundSegment]:
    """Return the segments of datasets that have the words, best first: rare words and repeated ones count more.

    `words` are as `tsquery` reads each; `condition` is on the segments' documents.
    """
    frequencies, total = _frequencies(connection, words)
    weights = [math.log(1 + 1 / frequencies[word]) for word in words]
    statement = text(_BY_WORDS.format(visible=_VISIBLE, extra=_and(condition)))
    given = {
        **condition.values,
        "words": list(words),
        "weights": weights,
        "whole": sum(weights),
        "dataset_ids": [str(key) for key in dataset_ids],
        "most": most,
        "candidates": 2 * CANDIDATES,
    }
    execute(_WITHOUT_JIT, {}, connection)
    found: list[FoundSegment] = []
    for gate in _gates(words, frequencies, total):
        found = fetch_all(statement, {**given, "gate": gate}, FoundSegment, connection)
        if len(found) >= most:
            break
    return found


def cite_segments(connection: Connection, segment_ids: Sequence[str]) -> dict[str, CitedSegment]:
    """Count a hit of each segment; return them by id. Those that are gone are left out."""
    return {row.id: row for row in fetch_all(_CITE, {"ids": list(segment_ids)}, CitedSegment, connection)}


def read_contents(segment_ids: Sequence[str]) -> dict[str, str]:
    """Return the texts of segments by id. Those that are gone are left out."""
    return {row.id: row.content for row in fetch_all(_CONTENTS, {"ids": list(segment_ids)}, SegmentContent)}


def _and(condition: SqlCondition) -> str:
    return f" AND ({condition.sql})" if condition.sql else ""


def _has_few_segments(connection: Connection, dataset_id: uuid.UUID, condition: SqlCondition) -> bool:
    statement = text(
        f"""
SELECT coalesce(sum(document.segment_count), 0) FROM documents document
WHERE document.dataset_id = :dataset_id AND {_VISIBLE}{_and(condition)}
"""
    )
    return int(fetch_value(statement, {**condition.values, "dataset_id": dataset_id}, connection)) <= 2 * INDEXED_FROM


def _frequencies(connection: Connection, words: Sequence[str]) -> tuple[dict[str, float], float]:
    """Return the part of all segments that has each word, as statistics tell, and how many segments there are."""
    rows = fetch_all(_FREQUENCIES, {"words": [word.strip("'") for word in words]}, _WordFrequency, connection)
    known = {row.word: float(row.frequency) for row in rows if row.word is not None}
    total = float(rows[0].total) if rows else 0.0
    # A word that the statistics do not have is rarer than all that they have.
    least = min((float(row.frequency) for row in rows if row.word is None), default=1.0)
    rare = max(least / 2, 1 / total) if total else 1.0
    return {word: min(1.0, max(known.get(word.strip("'"), rare), 1e-9)) for word in words}, total


def _gates(words: Sequence[str], frequencies: Mapping[str, float], total: float) -> list[str]:
    """Return which segments to look at, one query after another until enough are found.

    Those with one of the rarer words; where all words are common, first those with several of them.
    """
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
