"""Tools for texts: the provider `regex`, and the provider `csv`."""

import csv
import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import regex

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, provider, text, tool
from app.tools.tool_types import ToolAnswer, ToolFailed

LONGEST_CONTENT = 1_000_000
LONGEST_OBJECTS = 8_000_000
TOO_LARGE = "The table is too large."
MOST_MATCHES = 10_000
LONGEST_MATCHES = 4_000_000
MOST_SECONDS = 2.0
_LONGEST_EXPRESSION = 1_000


def regex_provider() -> BuiltinProvider:
    """Return the provider `regex`."""
    return provider(
        "🔎",
        tool(
            "regex_extract",
            "Extracts all parts of a text that a regular expression matches.",
            {"en_US": "Regex extract", "zh_Hans": "正则表达式提取"},
            _extract,
            ("content", "expression"),
            content=("string", "The text"),
            expression=("string", "A regular expression in Python's form"),
        ),
    )


def csv_provider() -> BuiltinProvider:
    """Return the provider `csv`."""
    return provider(
        "📊",
        tool(
            "csv_to_json",
            "Converts CSV text with a heading row to a JSON list of objects.",
            {"en_US": "CSV to JSON", "zh_Hans": "CSV 转 JSON"},
            lambda arguments, seconds, cancellation: _csv_to_json(text(arguments, "content", "csv_text", "csv")),
            content=("string", "The CSV"),
            csv_text=("string", "The CSV, in the place of content"),
        ),
        tool(
            "json_to_csv",
            "Converts a JSON list of objects to CSV text.",
            {"en_US": "JSON to CSV", "zh_Hans": "JSON 转 CSV"},
            lambda arguments, seconds, cancellation: _json_to_csv(
                arguments.get("content") or arguments.get("json_text")
            ),
            content=("", "The JSON"),
            json_text=("", "The JSON, in the place of content"),
        ),
    )


def _extract(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
    content, expression = text(arguments, "content"), text(arguments, "expression")
    if len(content) > LONGEST_CONTENT or len(expression) > _LONGEST_EXPRESSION:
        raise ToolFailed(
            f"The text may have {LONGEST_CONTENT} characters, the expression {_LONGEST_EXPRESSION} at most."
        )
    allowed = min(seconds, MOST_SECONDS)
    try:
        found = list(_matches(regex.compile(expression), content, allowed))
    except TimeoutError:
        raise ToolFailed(f"The expression took longer than {allowed:g} seconds.") from None
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolFailed(f"The expression is wrong: {error}") from None
    return ToolAnswer(str(found), json=[{"match": match if isinstance(match, str) else list(match)} for match in found])


def _matches(pattern: regex.Pattern[str], content: str, seconds: float) -> Iterator[str | tuple[str, ...]]:
    """Yield what each match holds: its only group or all of its groups, without groups all of it.

    Raises TimeoutError, ToolFailed for too many or too long matches.
    """
    deadline, length = time.monotonic() + seconds, 0
    groups = range(1, pattern.groups + 1) or (0,)
    # The package's own limit is for one match, and it lets other threads run meanwhile.
    for number, match in enumerate(pattern.finditer(content, timeout=seconds, concurrent=True), 1):
        if time.monotonic() > deadline:
            raise TimeoutError
        # Before the texts are copied: groups that look ahead may hold the rest of the content each.
        length += sum(match.end(group) - match.start(group) for group in groups)
        if number > MOST_MATCHES or length > LONGEST_MATCHES:
            raise ToolFailed(
                f"The expression matches more than {MOST_MATCHES} times or {LONGEST_MATCHES} characters in all."
            )
        held = match.groups("")
        yield match[0] if not held else held[0] if len(held) == 1 else held


def _csv_to_json(content: str) -> ToolAnswer:
    rows = rows_of(content)
    if not rows:
        raise ToolFailed("The CSV is empty.")
    objects = objects_of(rows)
    return ToolAnswer(json.dumps(objects, ensure_ascii=False), json=objects)


def rows_of(content: str) -> list[list[str]]:
    """Return the rows of a CSV text, whose separator is found out. Raises ToolFailed."""
    if len(content) > LONGEST_CONTENT:
        raise ToolFailed(f"The CSV is longer than {LONGEST_CONTENT} characters.")
    content = content.lstrip("\ufeff").strip()
    first = content.partition("\n")[0]
    separator = max((",", ";", "\t", "|"), key=first.count)
    try:
        return list(csv.reader(io.StringIO(content, newline=""), delimiter=separator))
    except csv.Error as error:
        raise ToolFailed(f"The CSV cannot be read: {error}.") from None


def objects_of(rows: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """Return the rows after the first, the headings, as objects. Raises ToolFailed where they would be too large."""
    headings = rows[0]
    # Every object repeats the headings.
    if (len(headings) + sum(map(len, headings))) * len(rows) > LONGEST_OBJECTS:
        raise ToolFailed(TOO_LARGE)
    return [{name: row[at] if at < len(row) else "" for at, name in enumerate(headings)} for row in rows[1:] if row]


def _json_to_csv(content: Any) -> str:
    try:
        value = json.loads(content) if isinstance(content, str) else content
    except (ValueError, RecursionError):
        raise ToolFailed("content is no JSON.") from None
    objects = value if isinstance(value, list) else [value]
    if not objects or not all(isinstance(item, dict) for item in objects):
        raise ToolFailed("content must be a list of objects.")
    headings = list(dict.fromkeys(name for item in objects for name in item))
    if len(headings) * len(objects) > LONGEST_CONTENT:
        raise ToolFailed(TOO_LARGE)
    return csv_text([headings, *([_cell(item.get(name)) for name in headings] for item in objects)])


def csv_text(rows: list[list[str]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
