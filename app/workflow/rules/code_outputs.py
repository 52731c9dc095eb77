"""Checks the outputs of code nodes against their declared types and limits (contract dsl.md §3.7, code; README §7)."""

import math
from collections.abc import Mapping
from typing import Any

from app.workflow.failures import NodeFailed

LONGEST_TEXT = 400_000
MOST_TEXTS = MOST_OBJECTS = 30
MOST_NUMBERS = 1_000
DEEPEST = 5


def checked_outputs(
    result: Any, declared: Mapping[str, Mapping[str, Any]], place: str = "", depth: int = 1
) -> dict[str, Any]:
    """Check what the code's function `main` returned, or an object in it, and return the declared outputs.

    `declared`: name → `{"type", "children"}`. `place`: the path to the object, for messages. Raises NodeFailed.
    """
    if not isinstance(result, Mapping):
        raise _wrong(f"main must return a mapping of outputs, not {_name(result)}.")
    if depth > DEEPEST:
        raise _wrong(f"Output {place!r} is nested more than {DEEPEST} levels deep.")
    missing = [name for name in declared if name not in result]
    if missing:
        raise _wrong(f"Output {place + missing[0]!r} is missing.")
    if depth == 1 and any(name not in declared for name in result):
        raise _wrong("Not all output parameters are validated.")
    return {name: _checked(result[name], declared[name], place + name, depth) for name in declared}


def _checked(value: Any, declared: Mapping[str, Any], place: str, depth: int) -> Any:
    kind = declared.get("type", "string")
    if value is None:
        return None
    if kind in ("string", "number", "boolean"):
        return _scalar(value, kind, place)
    if kind == "object":
        children = declared.get("children")
        if not isinstance(value, Mapping):
            raise _wrong(f"Output {place!r} must be an object, not {_name(value)}.")
        if children:
            return checked_outputs(value, children, f"{place}.", depth + 1)
        _check_free(value, place, depth)
        return dict(value)
    if kind not in _ARRAYS:
        raise _wrong(f"Output {place!r} has an unknown type {kind!r}.")
    return _array(value, declared, place, depth)


def _scalar(value: Any, kind: str, place: str) -> Any:
    if kind == "number" and isinstance(value, bool):
        return int(value)
    if not isinstance(value, _SCALARS[kind]) or (kind == "number" and not math.isfinite(value)):
        raise _wrong(f"Output {place!r} must be a {kind}, not {_name(value)}.")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise _wrong(f"Output {place!r} is longer than {LONGEST_TEXT} characters.")
    return value


def _array(value: Any, declared: Mapping[str, Any], place: str, depth: int) -> list[Any]:
    member, most = _ARRAYS[declared["type"]]
    if not isinstance(value, list):
        raise _wrong(f"Output {place!r} must be an array, not {_name(value)}.")
    if len(value) > most:
        raise _wrong(f"Output {place!r} has more than {most} members.")
    if member == "number" and any(item is None for item in value):
        raise _wrong(f"Output {place!r} must contain only numbers.")
    shape = {"type": member, "children": declared.get("children")}
    return [
        _checked(item, shape, f"{place}[{index}]", depth + 1 if member == "object" else depth)
        for index, item in enumerate(value)
    ]


def _check_free(value: Any, place: str, depth: int) -> None:
    """Check an object without declared children: limits apply, and every list in it has members of one type."""
    if depth > DEEPEST:
        raise _wrong(f"Output {place!r} is nested more than {DEEPEST} levels deep.")
    if isinstance(value, Mapping):
        for name, item in value.items():
            _check_free(item, f"{place}.{name}", depth + 1)
    elif isinstance(value, list):
        kinds = {_kind(item) for item in value if item is not None}
        if len(kinds) > 1 or "array" in kinds:
            raise _wrong(f"Output {place!r} must contain members of one type, and no arrays.")
        if len(value) > (MOST_NUMBERS if kinds <= {"number", "boolean"} else MOST_OBJECTS):
            raise _wrong(f"Output {place!r} has too many members.")
        for item in value:
            _check_free(item, place, depth + 1 if isinstance(item, Mapping) else depth)
    elif value is not None:
        _scalar(value, _kind(value), place)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, list) else "string"


def _name(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _wrong(message: str) -> NodeFailed:
    return NodeFailed(message, "OutputValidationError")


_SCALARS: Mapping[str, Any] = {"string": str, "number": (int, float), "boolean": bool}
_ARRAYS: Mapping[str, tuple[str, int]] = {
    "array[string]": ("string", MOST_TEXTS),
    "array[number]": ("number", MOST_NUMBERS),
    "array[object]": ("object", MOST_OBJECTS),
    "array[boolean]": ("boolean", MOST_NUMBERS),
}
