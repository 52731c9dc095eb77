"""Check that lists do not slow down with their length: `python -m tests.bench.lists`.

GET /conversations of an end user with 100 and with 100,000 conversations, GET /messages in a conversation of 100 and of
10,000 messages: first page, a page deep inside, and whether the plans use the indexes.
"""

import contextlib
import pathlib
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg2

from tests.support.stack import CHAT_APP, Stack
from tests.support.visitor import Visitor

SIZES = {"conversations": (100, 100_000), "messages": (100, 10_000)}
CALLS = 200

FILL_CONVERSATIONS = """
INSERT INTO conversations
    (id, app_id, end_user_id, app_version_id, mode, name, inputs, introduction, created_at, updated_at)
SELECT gen_random_uuid(), end_users.app_id, end_users.id, apps.version_id, 'chat', 'Conversation ' || number,
    '{"topic": "cats"}', 'Hello', now() - number * interval '1 second', now() - number * interval '1 second'
FROM end_users JOIN apps ON apps.id = end_users.app_id, generate_series(1, %s) AS number WHERE end_users.id = %s
"""
FILL_MESSAGES = """
INSERT INTO messages (id, app_id, end_user_id, conversation_id, task_id, query, inputs, answer, metadata, created_at)
SELECT gen_random_uuid(), app_id, end_user_id, id, gen_random_uuid(), 'Question', '{}', repeat('Answer ', 40),
    '{"usage": {}}', now() - number * interval '1 second'
FROM conversations, generate_series(1, %s) AS number WHERE id = %s
"""


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Stack(pathlib.Path(folder), web_workers=1, worker_processes=1) as stack,
    ):
        stack.import_app(CHAT_APP, "bench")
        with contextlib.closing(psycopg2.connect(stack.postgres.url)) as connection:
            connection.autocommit = True
            for kind, sizes in SIZES.items():
                pages = [measure(stack, connection, kind, size) for size in sizes]
                for page in pages[0]:
                    small, large = (found[page] for found in pages)
                    print(
                        f"GET /{kind:<14} {page:<12} {sizes[0]:>7}: {small:5.2f} ms   {sizes[1]:>7}: {large:5.2f} ms  "
                        f" ratio {large / small:4.2f}"
                    )
            explain(connection)


def measure(stack: Stack, connection: Any, kind: str, size: int) -> dict[str, float]:
    """Median milliseconds of a call, by page."""
    visitor = Visitor(stack.base_url, "bench")
    first = visitor.chat("[[chunks:1]]").wait_for_end().frames[0].data
    with connection.cursor() as cursor:
        if kind == "conversations":
            cursor.execute("SELECT end_user_id FROM conversations WHERE id = %s", (first["conversation_id"],))
            cursor.execute(FILL_CONVERSATIONS, (size, cursor.fetchone()[0]))
            cursor.execute(
                "SELECT id FROM conversations WHERE name = %s ORDER BY updated_at DESC LIMIT 1",
                (f"Conversation {size // 2}",),
            )
            deep = {"last_id": str(cursor.fetchone()[0])}
            queries: dict[str, dict[str, Any]] = {
                "first page": {},
                "deep page": deep,
                "not pinned": {"pinned": "false"},
                "oldest": {"sort_by": "created_at"},
            }
        else:
            cursor.execute(FILL_MESSAGES, (size, first["conversation_id"]))
            inside = {"conversation_id": first["conversation_id"]}
            cursor.execute(
                "SELECT id FROM messages WHERE conversation_id = %s ORDER BY created_at LIMIT 1 OFFSET %s",
                (first["conversation_id"], size // 2),
            )
            queries = {"newest": inside, "deep page": inside | {"first_id": str(cursor.fetchone()[0])}}
        cursor.execute("VACUUM ANALYZE")
    return {page: timed(visitor, kind, query) for page, query in queries.items()}


def timed(visitor: Visitor, path: str, query: dict[str, Any]) -> float:
    times = []
    for _ in range(CALLS):
        began = time.perf_counter()
        visitor.json("GET", f"/{path}", params={"limit": 20, **query})
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def explain(connection: Any) -> None:
    """Say of each list's statement which indexes its plan uses."""
    for name, statement in statements():
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + statement, {"id": str(uuid.uuid4())})
            plan = [row[0].strip() for row in cursor.fetchall()]
        print(f"{name}: " + "; ".join(line.split("  (cost")[0] for line in plan if "Scan" in line))


def statements() -> Iterator[tuple[str, str]]:
    mine = "end_user_id = %(id)s AND deleted_at IS NULL"
    for column in ("updated_at", "created_at"):
        yield (
            f"conversations by {column}",
            f"SELECT id FROM conversations WHERE {mine} ORDER BY {column} DESC, id DESC LIMIT 21",
        )
    yield "pinned", f"SELECT id FROM conversations WHERE {mine} AND pinned ORDER BY updated_at DESC, id DESC LIMIT 21"
    yield (
        "messages",
        "SELECT id FROM messages WHERE conversation_id = %(id)s ORDER BY created_at DESC, id DESC LIMIT 21",
    )
    yield (
        "saved messages",
        "SELECT id FROM messages WHERE end_user_id = %(id)s AND saved ORDER BY created_at DESC, id DESC LIMIT 21",
    )


if __name__ == "__main__":
    main()
