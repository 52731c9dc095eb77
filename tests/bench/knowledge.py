"""Searches in a dataset of many segments: by words, by meaning, both, with conditions; and what the indexes take.

python -m tests.bench.knowledge [--segments 100000] [--dimensions 768] [--searches 200]

Words are drawn as languages use them (Zipf), vectors around a thousand centres.
"""

import argparse
import pathlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import flask_migrate
from flask import Flask
from sqlalchemy import text

from app import cli
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.redis import EmbeddedRedis
from app.extensions import autocommit_engine, db
from app.factory import create_app
from app.models.datasets import DatasetSummary
from app.models.embeddings import table_of
from app.models.identifiers import new_id, now
from app.providers.cancellation import Cancellation
from app.services.knowledge import retrieval, search_terms
from app.services.operator import datasets, ingestion
from app.services.operator.datasets import DatasetSettings
from app.workflow.contracts.knowledge import MetadataFilter, Retrieval
from config import Config
from tests.support.scripted_model import ScriptedModel

VOCABULARY = 30_000
WORDS_PER_SEGMENT = 120
SEGMENTS_PER_DOCUMENT = 100
CENTRES = 1_000
BATCH = 2_000
CALLERS = 8


class Language:
    """Words by their frequency."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._words = [f"w{number}" for number in range(VOCABULARY)]
        self._weights = [1 / (rank + 2) for rank in range(VOCABULARY)]
        self._sums = list(_running(self._weights))

    def text(self, count: int) -> str:
        return " ".join(self._chance.choices(self._words, cum_weights=self._sums, k=count))


def _running(weights: list[float]) -> Any:
    total = 0.0
    for weight in weights:
        total += weight
        yield total


def fill(dataset: DatasetSummary, language: Language, segments: int, dimensions: int) -> None:
    """Rows as the ingestion makes them, without its model."""
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TABLE centres AS SELECT number, (SELECT array_agg(random() - 0.5) FROM"
                " generate_series(1, :dimensions + 0 * number)) AS centre FROM generate_series(0, :last) AS number"
            ),
            {"dimensions": dimensions, "last": CENTRES - 1},
        )
    for start in range(0, segments, BATCH):
        rows = [(start + offset, language.text(WORDS_PER_SEGMENT)) for offset in range(min(BATCH, segments - start))]
        documents = {number // SEGMENTS_PER_DOCUMENT: new_id() for number, _ in rows}
        with db.engine.begin() as connection:
            for number, key in documents.items():
                connection.execute(
                    text(
                        "INSERT INTO documents (id, dataset_id, name, fingerprint, status, enabled, word_count,"
                        " segment_count, metadata, created_at)"
                        " VALUES (:id, :dataset, :name, '', 'completed', true, :words, :segments,"
                        " CAST(:details AS jsonb), :now)"
                    ),
                    {
                        "id": key,
                        "dataset": dataset.id,
                        "name": f"{number}.md",
                        "words": SEGMENTS_PER_DOCUMENT * WORDS_PER_SEGMENT,
                        "segments": SEGMENTS_PER_DOCUMENT,
                        "details": f'{{"year": {2000 + number % 27}}}',
                        "now": now(),
                    },
                )
            values = {
                "dataset": dataset.id,
                "documents": [str(documents[number // SEGMENTS_PER_DOCUMENT]) for number, _ in rows],
                "positions": [number % SEGMENTS_PER_DOCUMENT + 1 for number, _ in rows],
                "contents": [content for _, content in rows],
                "words": [search_terms.index_text(content) for _, content in rows],
                "ids": [str(new_id()) for _ in rows],
            }
            connection.execute(
                text(
                    "INSERT INTO segments (id, dataset_id, document_id, position, content, word_count, hit_count,"
                    " index_node_hash, words)"
                    " SELECT CAST(row.id AS uuid), :dataset, CAST(row.document AS uuid), row.position, row.content,"
                    " 120, 0, md5(row.content), CAST(row.words AS tsvector)"
                    " FROM unnest(CAST(:ids AS text[]), CAST(:documents AS text[]), CAST(:positions AS int[]),"
                    " CAST(:contents AS text[]), CAST(:words AS text[])) AS row(id, document, position, content, words)"
                ),
                values,
            )
            connection.execute(
                text(
                    f"INSERT INTO {table_of(dataset.id)} (segment_id, document_id, embedding)"
                    " SELECT segment.id, segment.document_id,"
                    " CAST((SELECT array_agg(part + (random() - 0.5) * 0.6) FROM unnest(centre) AS part) AS real[])"
                    "::vector::halfvec FROM segments segment"
                    " JOIN centres ON centres.number = abs(hashtext(segment.index_node_hash)) % :centres"
                    " WHERE segment.id = ANY(CAST(:ids AS uuid[]))"
                ),
                {"ids": values["ids"], "centres": CENTRES},
            )


def timed(label: str, search: Callable[[], Any], count: int) -> None:
    """One caller, then several at once."""
    for callers in (1, CALLERS):
        with ThreadPoolExecutor(callers) as pool:
            began = time.perf_counter()
            took = sorted(pool.map(lambda _: _seconds(search), range(count)))
            whole = time.perf_counter() - began
        at, half = f"{callers} at once", statistics.median(took) * 1000
        most = took[int(len(took) * 0.95)] * 1000
        print(f"{label:34} {at:10} p50 {half:6.1f} ms   p95 {most:6.1f} ms   {count / whole:5.0f}/s", flush=True)


def _seconds(search: Callable[[], Any]) -> float:
    began = time.perf_counter()
    search()
    return time.perf_counter() - began


def sizes(dataset: DatasetSummary) -> None:
    table = table_of(dataset.id)
    wanted = {
        "segments, table": "pg_table_size('segments')",
        "segments, words index": "pg_relation_size('segments_words')",
        "embeddings, table": f"pg_table_size('{table}')",
        "embeddings, nearest index": f"coalesce(pg_relation_size(to_regclass('{table}_nearest')), 0)",
    }
    with autocommit_engine().connect() as connection:
        for label, expression in wanted.items():
            print(
                f"{label:34} {connection.execute(text(f'SELECT {expression}')).scalar_one() / 1024 / 1024:8.1f} MiB",
                flush=True,
            )


def run(app: Flask, model: ScriptedModel, segments: int, dimensions: int, searches: int) -> None:
    language = Language(random.Random(5))
    model.embed_with(dimensions)
    dataset, warnings = datasets.create("bench", DatasetSettings(embedding_model="bench"))
    assert not warnings, warnings
    began = time.monotonic()
    fill(dataset, language, segments, dimensions)
    what = f"{segments} segments of {WORDS_PER_SEGMENT} words, {dimensions} dimensions"
    print(f"{what}: filled in {time.monotonic() - began:.0f} s", flush=True)
    began = time.monotonic()
    ingestion.settle(dataset)
    print(f"indexed in {time.monotonic() - began:.0f} s")
    sizes(dataset)

    def search(method: str, *conditions: MetadataFilter) -> Callable[[], Any]:
        def once() -> Any:
            wanted = Retrieval([str(dataset.id)], language.text(8), search_method=method, conditions=conditions)
            with app.app_context():
                return retrieval.search(None, wanted, 30, Cancellation())

        return once

    year, many = MetadataFilter("year", "=", 2005), MetadataFilter("year", ">", 2003)
    for label, call in (
        ("by words", search("full_text")),
        ("by meaning", search("semantic")),
        ("both", search("hybrid")),
        ("both, of 4 % of the documents", search("hybrid", year)),
        ("both, of 85 % of the documents", search("hybrid", many)),
    ):
        call()
        timed(label, call, searches)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--dimensions", type=int, default=768)
    parser.add_argument("--searches", type=int, default=200)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = pathlib.Path(folder)
        with (
            EmbeddedPostgres(directory / "postgres", durable=False) as postgres,
            EmbeddedRedis(directory / "redis") as redis,
            ScriptedModel() as model,
        ):
            settings = {
                "DATABASE_URL": postgres.url,
                "REDIS_URL": redis.url,
                "DATA_DIR": folder,
                "SECRET_KEY": "x" * 32,
                "LOG_LEVEL": "ERROR",
                "OPENAI_BASE_URL": model.base_url,
            }
            app = create_app(Config(settings), cli.register)
            with app.app_context():
                flask_migrate.upgrade()
                run(app, model, wanted.segments, wanted.dimensions, wanted.searches)


if __name__ == "__main__":
    main()
