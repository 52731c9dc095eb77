"""Fill a database with messages by COPY: end users, conversations of ten messages, tasks and usage records."""

import datetime
import random
from collections.abc import Callable, Iterator
from typing import Any

PER_CONVERSATION, CONVERSATIONS_PER_USER = 10, 10
FIRST = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WORDS = ("the", "answer", "is", "not", "short", "but", "true", "and", "read", "in", "a", "minute", "or", "so")
USAGE = '{"usage": {"total_tokens": 180, "total_price": "0.0009", "currency": "USD"}, "retriever_resources": []}'
# Table, columns, and how many messages share a row of it.
TABLES = {
    "end_users": ("id, app_id, session_id, created_at", PER_CONVERSATION * CONVERSATIONS_PER_USER),
    "conversations": (
        "id, app_id, end_user_id, app_version_id, mode, name, inputs, created_at, updated_at",
        PER_CONVERSATION,
    ),
    "messages": (
        "id, app_id, end_user_id, conversation_id, task_id, query, inputs, answer, metadata, rating, prompt_tokens,"
        " answer_tokens, latency, created_at",
        1,
    ),
    "tasks": (
        "id, app_id, end_user_id, app_version_id, mode, conversation_id, message_id, status, epoch, created_at,"
        " finished_at",
        1,
    ),
    "usage_records": (
        "id, task_id, purpose, app_id, end_user_id, endpoint, model, calls, prompt_tokens, completion_tokens,"
        " total_tokens, prompt_price, completion_price, currency, created_at",
        1,
    ),
}


def fill(connection: Any, messages: int) -> None:
    """Add so many messages of the app `bench`, ten seconds apart from each other. `connection`: psycopg2's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id::text, version_id::text FROM apps WHERE code = 'bench'")
        rows = _RowMaker(*cursor.fetchone())
        for table, (columns, shared) in TABLES.items():
            make: Callable[[int], tuple[object, ...]] = getattr(rows, table)
            content = _Text("\t".join(map(str, make(number))) + "\n" for number in range(-(-messages // shared)))
            cursor.copy_expert(f"COPY {table} ({columns}) FROM STDIN", content)
    connection.commit()
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


class _Text:
    """A file of lines that are made as it is read."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def read(self, _: int) -> str:
        return "".join(line for _, line in zip(range(500), self._lines, strict=False))


class _RowMaker:
    """Makes the rows of each table by their number; a number of a message tells those that belong to it."""

    def __init__(self, app_id: str, version_id: str) -> None:
        self._app_id, self._version_id = app_id, version_id
        self._random = random.Random(1)

    def end_users(self, number: int) -> tuple[object, ...]:
        return _id(1, number), self._app_id, f"visitor-{number}", FIRST

    def conversations(self, number: int) -> tuple[object, ...]:
        began = _moment(number * PER_CONVERSATION)
        user = _id(1, number // CONVERSATIONS_PER_USER)
        return _id(2, number), self._app_id, user, self._version_id, "chat", f"About {number}", "{}", began, began

    def messages(self, number: int) -> tuple[object, ...]:
        answer = " ".join(self._random.choices(WORDS, k=60))
        rating = ("like", "dislike")[number % 2] if number % 50 < 2 else "\\N"
        return (
            *(_id(3, number), *self._owner(number), _id(4, number), f"What of {number}?", "{}", answer, USAGE),
            *(rating, 120, 60, 1.5, _moment(number)),
        )

    def tasks(self, number: int) -> tuple[object, ...]:
        user, conversation = self._owner(number)[1:]
        return (
            *(_id(4, number), self._app_id, user, self._version_id, "chat", conversation, _id(3, number)),
            *("succeeded", 1, _moment(number), _moment(number)),
        )

    def usage_records(self, number: int) -> tuple[object, ...]:
        user = self._owner(number)[1]
        return (
            *(_id(5, number), _id(4, number), "answer", self._app_id, user, "house", f"model-{number % 3}"),
            *(1, 120, 60, 180, "0.0003", "0.0006", "USD", _moment(number)),
        )

    def _owner(self, number: int) -> tuple[str, str, str]:
        conversation = number // PER_CONVERSATION
        return self._app_id, _id(1, conversation // CONVERSATIONS_PER_USER), _id(2, conversation)


def _id(kind: int, number: int) -> str:
    """Return an id that sorts by its number, as those of the product sort by time."""
    text = f"{number:012x}7{kind:03x}8000{number:012x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _moment(number: int) -> datetime.datetime:
    return FIRST + datetime.timedelta(seconds=10 * number)
