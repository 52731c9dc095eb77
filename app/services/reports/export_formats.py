"""Write records as JSON Lines, or as CSV that spreadsheets open without computing anything."""

import csv
import dataclasses
import datetime
import io
import time
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import orjson

Format = Literal["jsonl", "csv"]
# What begins with one of these is a formula for a spreadsheet, or a command to another program.
_FORMULA_SIGNS = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_LINES_AT_ONCE = 200
BLOCK_BYTES = 65_536
MIME_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def lines(records: Iterable[Any], kind: type, form: Format) -> Iterator[bytes]:
    """Yield records of the dataclass `kind` in pieces of a file, CSV with its headings, UTF-8.

    In CSV a list or an object stands as JSON. A text that a spreadsheet would compute has an apostrophe before it.
    """
    if form == "jsonl":
        for record in records:
            yield orjson.dumps(record, default=_plain, option=orjson.OPT_APPEND_NEWLINE)
        return
    names = [field.name for field in dataclasses.fields(kind)]
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(names)
    for number, record in enumerate(records, 1):
        writer.writerow([_cell(getattr(record, name)) for name in names])
        if number % _LINES_AT_ONCE == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces of a file in larger blocks, for a network."""
    waiting, size = list[bytes](), 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= BLOCK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
            # A web worker has other requests to serve between two blocks.
            time.sleep(0)
    yield b"".join(waiting)


def safe_cell(text: str) -> str:
    """Return a text that a spreadsheet shows as it is: with an apostrophe before it where it would compute it."""
    return f"'{text}" if text.lstrip(" \u00a0\ufeff").startswith(_FORMULA_SIGNS) else text


def _cell(value: Any) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    return safe_cell(value if isinstance(value, str) else orjson.dumps(value, default=_plain).decode())


def _plain(value: Any) -> Any:
    """Return what orjson does not know: named tuples, amounts of money."""
    return value._asdict() if hasattr(value, "_asdict") else str(value)


def _taken(buffer: io.StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content
