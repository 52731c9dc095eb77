"""Read what model servers send in place of the values that OpenAI's protocol has: what can be understood is taken."""

import json
import math
import re
from typing import Any

import orjson

# The sum of two still fits the 32 bits of a row.
LARGEST_COUNT = 1_000_000_000
DEEPEST_PART = 4
THOUGHTS = ("thinking", "reasoning", "reasoning_content", "reasoning_text", "thought")
TEXTS = ("text", "output_text", "input_text")
# Control characters inside strings, NaN and lone halves of surrogate pairs are accepted.
_DECODER = json.JSONDecoder(strict=False)
_BEFORE_JSON = re.compile("(?:data:|[\ufeff\\s])*")


def read_objects(event: bytes) -> list[dict[str, Any]]:
    """Return the JSON objects in the data of an event, mostly one; none where it holds no JSON object.

    Bytes that are no UTF-8 and halves of surrogate pairs become lone surrogates: `TextPieces` joins them.
    """
    try:
        values = [orjson.loads(event)]
    except orjson.JSONDecodeError:
        values = _read_loosely(event)
    found = []
    for value in values:
        found += [entry for entry in (value if isinstance(value, list) else [value]) if isinstance(entry, dict)]
    return found


def _read_loosely(event: bytes) -> list[Any]:
    """Return the JSON documents that stand one after the other at the beginning; what follows them is left out."""
    text = event.decode("utf-8", "surrogateescape")
    values: list[Any] = []
    position = 0
    while True:
        before = _BEFORE_JSON.match(text, position)
        position = before.end() if before is not None else position
        if text[position : position + 1] not in ("{", "["):
            return values
        try:
            value, position = _DECODER.raw_decode(text, position)
        except (ValueError, RecursionError):
            return values
        values.append(value)


def read_content(content: Any, depth: int = 0) -> tuple[str, str]:
    """Return the text and the thoughts of a `content` member: a text, a number, or a list of typed parts."""
    if isinstance(content, str):
        return content, ""
    if depth > DEEPEST_PART:
        return "", ""
    if isinstance(content, list):
        parts = [read_content(part, depth + 1) for part in content]
        return "".join(text for text, _ in parts), "".join(thoughts for _, thoughts in parts)
    if isinstance(content, dict):
        return _read_part(content, depth)
    return scalar_text(content), ""


def _read_part(part: dict[str, Any], depth: int) -> tuple[str, str]:
    kind = part.get("type")
    if kind in THOUGHTS:
        thought = next((part[name] for name in (*THOUGHTS, "text", "summary") if part.get(name)), "")
        return "", "".join(read_content(thought, depth + 1))
    if kind == "refusal":
        return read_content(part.get("refusal"), depth + 1)
    for name in ("text", "value"):
        if kind in (None, *TEXTS) and name in part:
            return read_content(part[name], depth + 1)
    # An object that is no part is what a model was asked for as JSON; a part of another kind is an image or a sound.
    return (json.dumps(part, ensure_ascii=False), "") if kind is None and depth == 0 else ("", "")


def scalar_text(value: Any) -> str:
    """Return the text of a JSON value that should have been a text: numbers and truth values as JSON writes them."""
    if isinstance(value, str):
        return value
    return "" if value is None or isinstance(value, dict | list) else json.dumps(value)


def json_text(value: Any) -> str:
    """Return JSON that should have been sent as a text: a text as it is, any other value as its JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def whole_number(value: Any) -> int | None:
    """Return a count or an index: a number, or a text that is one, fractions rounded. None for anything else."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return round(value) if 0 <= value <= LARGEST_COUNT else None
