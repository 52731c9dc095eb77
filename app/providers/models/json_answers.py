"""JSON in what models write: a text that is JSON, or JSON in a code fence or in the middle of a sentence.

All readers of models' JSON are here: structured output, classes, parameters, agents' actions, questions. An answer is
read as a whole first, then the values in it from left to right; of those, one in a code fence wins, else the largest.
A fence or a bracket inside a text of a value is never looked at. Nesting and work are bounded by the text's length.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from app.providers.models.lenient_json import MOST_LEVELS, BrokenJson, CutJson, finite_number, read_value
from app.providers.models.thoughts import without_thoughts

# A wrong beginning costs the characters that were read of it: of so many times the text's length, and of so many
# beginnings.
MOST_READS = 4
MOST_TRIES = 300
# The repairing library reads some broken texts again and again, and holds the whole process: 4,000 characters take up
# to a second, 20,000 more than a minute.
LONGEST_REPAIRED = 2_000
_LONGEST_FENCE = 60
_BRACKET = re.compile(r"[\[{]")


@dataclass(frozen=True)
class FoundJson:
    """A JSON object or list in a text, from `start` to `end`. `fenced`: it stands first in a code fence.

    `is_cut`: the text ends inside it, and `value` is what was read of it.
    """

    value: Any
    start: int
    end: int
    fenced: bool
    is_cut: bool = False


def read_json(text: str, *, repair: bool = False) -> Any:
    """Return the value of a text that is JSON as a whole.

    Raises ValueError where it is not, CutJson where its end is missing.

    `repair`: also accept an object or a list that is nearly JSON, and words behind it. A missing end is never added.
    """
    try:
        return _bounded(orjson.loads(text))
    except orjson.JSONDecodeError:
        if not repair:
            raise
    value, end = read_value(text, len(text) - len(text.lstrip()))
    # A second value behind the first: which of them is meant is not known.
    if any(sign in text[end:] for sign in '{["'):
        raise BrokenJson(end)
    return _storable(value)


def find_object(text: str, *, repair: bool = False, names: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the JSON object of an answer, or None. A list with a single object counts as that object.

    Reasoning in think tags is skipped. `repair`: also accept an object whose end is missing and other faults, unless
    nothing is left of it. `names`: of several objects, those that have any of these members go first.
    """
    answer = without_thoughts(text)
    for candidate in (text, answer):
        whole = _whole_object(candidate)
        if whole is not None:
            return whole
    found = [
        (all(name not in value for name in names), *_rank(item), value)
        for item in found_values(answer)
        if not item.is_cut and (value := _object(item.value)) is not None
    ]
    if found:
        return min(found, key=lambda ranked: ranked[:-1])[-1]
    return _repaired_object(answer) if repair else None


def find_lists(text: str) -> Iterator[list[Any]]:
    """Yield the JSON lists in an answer, the likeliest first; behind each those inside of it."""
    found = [item for item in found_values(without_thoughts(text)) if not item.is_cut]
    for item in sorted(found, key=_rank):
        yield from _lists_in(item.value)


def found_values(text: str) -> Iterator[FoundJson]:
    """Yield the objects and lists in a text that are no part of another, from left to right.

    Behind the beginning of one that is cut, nothing more is looked at.
    """
    position, work = 0, MOST_READS * len(text)
    for _ in range(MOST_TRIES):
        bracket = _BRACKET.search(text, position)
        if bracket is None or work < 0:
            return
        start, position = bracket.start(), bracket.end()
        try:
            value, position = _read_at(text, start)
        except CutJson as cut:
            yield FoundJson(_storable(cut.value), start, len(text), _is_fenced(text, start), is_cut=True)
            # A stray bracket and quotation mark in a sentence look like the beginning of a value, too.
            if isinstance(cut.value, dict) and cut.value:
                return
            work -= len(text) - start
        except BrokenJson as fault:
            work -= fault.position - start
        else:
            yield FoundJson(_storable(value), start, position, _is_fenced(text, start))


def _read_at(text: str, start: int) -> tuple[Any, int]:
    """Return the value at a bracket, and the position behind it. Raises BrokenJson, CutJson."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except ValueError as refusal:
        try:
            # By hand, which tells a fault from a cut and reads what is nearly JSON.
            return read_value(text, start)
        except CutJson:
            raise
        except BrokenJson as fault:
            # The library may have come further: it reads what is nested too deeply, and longer numbers.
            raise BrokenJson(max(fault.position, _reached(refusal, text))) from None
    except RecursionError:
        raise BrokenJson(len(text)) from None
    if _is_too_deep(value):
        raise BrokenJson(end)
    return value, end


def _reached(refusal: ValueError, text: str) -> int:
    """Return how far the library has read at most: of a text without an end it names the beginning alone."""
    if isinstance(refusal, json.JSONDecodeError) and not refusal.msg.startswith("Unterminated"):
        return refusal.pos
    return len(text)


def _is_fenced(text: str, start: int) -> bool:
    """Return whether a code fence, with its language or without, opens right before a value."""
    _, fence, language = text[max(0, start - _LONGEST_FENCE) : start].rpartition("```")
    return bool(fence) and "\n" not in language.strip() and len(language.split()) <= 1


def _rank(item: FoundJson) -> tuple[bool, int]:
    """Return the key by which the likeliest value comes first: one in a code fence, then the largest."""
    return not item.fenced, 0 if item.fenced else item.start - item.end


def _whole_object(text: str) -> dict[str, Any] | None:
    try:
        return _object(_bounded(_DECODER.decode(text.strip())))
    except (ValueError, RecursionError):
        return None


def _repaired_object(text: str) -> dict[str, Any] | None:
    start = text.find("{")
    if start < 0:
        return None
    if len(text) - start > LONGEST_REPAIRED:
        return _read_before_cut(text, start)
    # Imported on first use: most answers need no repair, and web processes hardly ever see one.
    import json_repair

    try:
        # Decoded like any other text: what was repaired must obey the same rules (no NaN, no infinity).
        return _object(_bounded(_DECODER.decode(json_repair.repair_json(text[start:])))) or None
    except (ValueError, RecursionError):
        return None


def _read_before_cut(text: str, start: int) -> dict[str, Any] | None:
    """Return what an object that is cut off holds before the cut: a structured answer runs nothing."""
    try:
        read_value(text, start)
    except CutJson as cut:
        return _object(_bounded(cut.value)) if isinstance(cut.value, dict) and cut.value else None
    except BrokenJson:
        pass
    return None


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return _storable(value) if isinstance(value, dict) else None


def _lists_in(value: Any) -> Iterator[list[Any]]:
    if isinstance(value, list):
        yield value
    for member in value.values() if isinstance(value, dict) else value:
        if isinstance(member, list | dict):
            yield from _lists_in(member)


def _bounded(value: Any) -> Any:
    """Return the value. Raises BrokenJson where it is nested too deeply."""
    if _is_too_deep(value):
        raise BrokenJson(0)
    return value


def _is_too_deep(value: Any) -> bool:
    """Return whether a value is nested more deeply than the libraries that it will pass can take."""
    level = [value]
    for _ in range(MOST_LEVELS):
        members = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, list | dict))
        level = [member for inner in members for member in inner if isinstance(member, list | dict)]
        if not level:
            return False
    return True


def _storable(value: Any) -> Any:
    """Return the value without characters that PostgreSQL refuses: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.replace("\0", "").encode(errors="replace").decode()
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


# Line breaks may stand in texts; numbers must be finite and fit into 64 bits.
_DECODER = json.JSONDecoder(
    strict=False, parse_float=finite_number, parse_int=finite_number, parse_constant=finite_number
)
