"""Finds JSON objects in models' answers: bare, in a code fence, or in the middle of a sentence."""

import json
import math
import re
from typing import Any

import json_repair

_THOUGHT_END = re.compile(r"</think>", re.IGNORECASE)
_FENCED = re.compile(r"```(?:json)?[ \t]*\r?\n?(.*?)```", re.IGNORECASE | re.DOTALL)
_OPENING = re.compile(r"[\[{]")
MOST_TRIES = 200
LONGEST_REPAIRED = 50_000


def find_object(text: str, *, repair: bool = False) -> dict[str, Any] | None:
    """Return the first JSON object of an answer, or None. A list with a single object counts as that object.

    Reasoning in think tags is skipped. `repair`: also accept text that is nearly JSON (single quotes, a missing end …).
    """
    text = text[max((end.end() for end in _THOUGHT_END.finditer(text)), default=0) :]
    candidates = [*_FENCED.findall(text), text]
    for candidate in candidates:
        found = _first_object(candidate)
        if found is not None:
            return found
    return _repaired(candidates[0]) if repair else None


def _first_object(text: str) -> dict[str, Any] | None:
    position = 0
    for _ in range(MOST_TRIES):
        opening = _OPENING.search(text, position)
        if opening is None:
            break
        try:
            value, position = _DECODER.raw_decode(text, opening.start())
        except RecursionError:
            break
        except ValueError:
            position = opening.end()
            continue
        found = _object(value)
        if found is not None:
            return found
    return None


def _repaired(text: str) -> dict[str, Any] | None:
    start = text.find("{")
    if start < 0 or len(text) > LONGEST_REPAIRED:
        return None
    try:
        # Decoded like any other text: what was repaired must obey the same rules (no NaN, no infinity).
        return _object(_DECODER.decode(json_repair.repair_json(text[start:]))) or None
    except (ValueError, RecursionError):
        return None


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _storable(value) if isinstance(value, dict) else None


def _storable(value: Any) -> Any:
    """Return the value without characters that PostgreSQL refuses: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_DECODER = json.JSONDecoder(strict=False, parse_float=_number, parse_constant=_number)
