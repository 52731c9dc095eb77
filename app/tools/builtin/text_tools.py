"""Tools for texts: the provider `regex`, and the provider `csv`."""

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import regex

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, provider, text, tool
from app.tools.tool_types import ToolAnswer, ToolFailed

LONGEST_CONTENT = 1_000_000
MOST_MATCHES = 10_000
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
    found: list[Any] = []
    try:
        pattern = regex.compile(expression)
        for match in pattern.finditer(content, timeout=min(seconds, MOST_SECONDS), concurrent=True):
            found.append(match[0] if not pattern.groups else match[1] if pattern.groups == 1 else match.groups(""))
            if len(found) > MOST_MATCHES:
                raise ToolFailed(f"The expression matches more than {MOST_MATCHES} times.")
    except TimeoutError:
        raise ToolFailed(f"The expression took longer than {min(seconds, MOST_SECONDS):g} seconds.") from None
    except (regex.error, RecursionError, OverflowError) as error:
        raise ToolFailed(f"The expression is wrong: {error}") from None
    found = ["" if match is None else match for match in found]
    return ToolAnswer(str(found), json=[{"match": match if isinstance(match, str) else list(match)} for match in found])


def _csv_to_json(content: str) -> ToolAnswer:
    rows = rows_of(content)
    if not rows:
        raise ToolFailed("The CSV is empty.")
    headings = rows[0]
    objects = [{name: row[at] if at < len(row) else "" for at, name in enumerate(headings)} for row in rows[1:] if row]
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
        raise ToolFailed("The table is too large.")
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
