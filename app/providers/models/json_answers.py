"""JSON in what models write: a text that is JSON, or JSON in a code fence or in the middle of a sentence.

Models also write what is nearly JSON: single quotes, a comma too many, a missing end. `repair` accepts that.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import orjson

_THOUGHT_END = re.compile(r"</think>", re.IGNORECASE)
_FENCED = re.compile(r"```(?:json)?[ \t]*\r?\n?(.*?)```", re.IGNORECASE | re.DOTALL)
_LIST_OR_OBJECT, _LIST = re.compile(r"[\[{]"), re.compile(r"\[")
MOST_TRIES = 200
LONGEST_REPAIRED = 50_000


def read_json(text: str, *, repair: bool = False) -> Any:
    """Return the value of a text that is JSON as a whole. Raises ValueError where it is not."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if not repair:
            raise
    # Imported on first use: most answers need no repair, and web processes hardly ever see one.
    import json_repair

    try:
        return json_repair.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def find_object(text: str, *, repair: bool = False) -> dict[str, Any] | None:
    """Return the first JSON object of an answer, or None. A list with a single object counts as that object.

    Reasoning in think tags is skipped, code fences are searched first. `repair`: also accept an object that is nearly
    JSON, unless nothing is left of it.
    """
    text = text[max((end.end() for end in _THOUGHT_END.finditer(text)), default=0) :]
    candidates = [*_FENCED.findall(text), text]
    for candidate in candidates:
        for value in _values(candidate, _LIST_OR_OBJECT, _DECODER):
            found = _object(value)
            if found is not None:
                return found
    return _repaired_object(candidates[0]) if repair else None


def find_lists(text: str) -> Iterator[list[Any]]:
    """Yield every JSON list in a text as it begins, those inside of others too."""
    return _values(text, _LIST, json.JSONDecoder(), nested=True)


def _values(text: str, opening: re.Pattern[str], decoder: json.JSONDecoder, nested: bool = False) -> Iterator[Any]:
    """Yield the JSON values that begin with an opening bracket; search on after each, or inside it if `nested`."""
    position = 0
    # Bounded, because each bracket of a long text may cost a look at all of the rest.
    for _ in range(MOST_TRIES):
        start = opening.search(text, position)
        if start is None:
            return
        position = start.end()
        try:
            value, end = decoder.raw_decode(text, start.start())
        except RecursionError:
            return
        except ValueError:
            continue
        if not nested:
            position = end
        yield value


def _repaired_object(text: str) -> dict[str, Any] | None:
    start = text.find("{")
    if start < 0 or len(text) > LONGEST_REPAIRED:
        return None
    import json_repair

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


# Of objects, which are stored: line breaks may stand in texts, numbers must be finite.
_DECODER = json.JSONDecoder(strict=False, parse_float=_number, parse_constant=_number)
