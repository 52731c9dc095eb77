"""The operators of conditions (contract dsl.md §3.7, if-else: the table and its finer points)."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from app.workflow.values.files import File
from app.workflow.values.values import text_of

Operator = Literal[
    "contains",
    "not contains",
    "start with",
    "end with",
    "is",
    "is not",
    "empty",
    "not empty",
    "in",
    "not in",
    "all of",
    "=",
    "≠",
    ">",
    "<",
    "≥",
    "≤",
    "null",
    "not null",
    "exists",
    "not exists",
]
# These look at the variable alone.
UNARY = frozenset({"empty", "not empty", "null", "not null", "exists", "not exists"})


class Incomparable(Exception):
    """The operator cannot be used on such values."""


def compare(actual: Any, operator: Operator, expected: Any) -> bool:
    """Whether the comparison holds. Raises Incomparable."""
    return _OPERATORS[operator](actual, expected)


def same(one: Any, other: Any) -> bool:
    """Equal in value and kind: true is not 1 here, and never a text."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def truth(value: Any) -> bool:
    """A boolean as files write it: a boolean, 1, 0, or one of them as JSON text. Raises Incomparable."""
    loaded = value
    if isinstance(value, str):
        try:
            loaded = json.loads(value)
        except ValueError:
            loaded = None
    if loaded not in (0, 1) or isinstance(loaded, float):
        raise Incomparable(f"{value!r} is neither true nor false")
    return bool(loaded)


def number(value: Any) -> int | float:
    """A number or a numeric text as a number. Raises Incomparable."""
    if _is_number(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, bool):
        raise Incomparable("a boolean is no number")
    try:
        return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdecimal() else float(value)
    except (TypeError, ValueError):
        raise Incomparable(f"{value!r} is no number") from None


def kind_of(value: Any) -> str:
    """What a value is, for messages."""
    kinds = (
        (bool, "boolean"),
        (int | float, "number"),
        (str, "string"),
        (list, "array"),
        (File, "file"),
        (Mapping, "object"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refuse(actual: Any) -> Incomparable:
    return Incomparable(f"it is of type {kind_of(actual)}")


def _contains(actual: Any, expected: Any) -> bool:
    if not actual:
        return False
    if isinstance(actual, str):
        return text_of(expected) in actual
    if isinstance(actual, list):
        return any(same(item, expected) for item in actual)
    raise _refuse(actual)


def _starts(actual: Any, expected: Any) -> bool:
    return _edge(actual) and actual.startswith(text_of(expected))


def _ends(actual: Any, expected: Any) -> bool:
    return _edge(actual) and actual.endswith(text_of(expected))


def _edge(actual: Any) -> bool:
    if actual and not isinstance(actual, str):
        raise _refuse(actual)
    return bool(actual)


def _is(actual: Any, expected: Any) -> bool:
    if isinstance(actual, bool):
        return actual == truth(expected)
    if isinstance(actual, str):
        return actual == text_of(expected)
    raise _refuse(actual)


def _in(actual: Any, expected: Any) -> bool:
    if not isinstance(expected, list):
        raise Incomparable("the value is no list")
    return any(same(actual, item) for item in expected)


def _all_of(actual: Any, expected: Any) -> bool:
    if not actual:
        return False
    if not isinstance(actual, list):
        raise _refuse(actual)
    if not isinstance(expected, list):
        raise Incomparable("the value is no list")
    return all(_contains(actual, item) for item in expected)


def _equal(actual: Any, expected: Any) -> bool:
    wanted = number(expected)
    if isinstance(actual, int) and isinstance(expected, str) and not isinstance(wanted, int):
        raise Incomparable(f"{expected!r} is no integer")
    return bool(actual == wanted)


def _unless_null(compare_it: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    return lambda actual, expected: actual is not None and compare_it(actual, expected)


def _numeric(compare_it: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """False for null, like `is`."""

    def checked(actual: Any, expected: Any) -> bool:
        if actual is None:
            return False
        if not _is_number(actual):
            raise _refuse(actual)
        return compare_it(actual, expected)

    return checked


_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "contains": _contains,
    "not contains": lambda actual, expected: not _contains(actual, expected),
    "start with": _starts,
    "end with": _ends,
    "is": _unless_null(_is),
    "is not": _unless_null(lambda actual, expected: not _is(actual, expected)),
    "empty": lambda actual, expected: not actual,
    "not empty": lambda actual, expected: bool(actual),
    "in": _in,
    "not in": lambda actual, expected: not _in(actual, expected),
    "all of": _all_of,
    "=": _numeric(_equal),
    "≠": _numeric(lambda actual, expected: not _equal(actual, expected)),
    ">": _numeric(lambda actual, expected: actual > number(expected)),
    "<": _numeric(lambda actual, expected: actual < number(expected)),
    "≥": _numeric(lambda actual, expected: actual >= number(expected)),
    "≤": _numeric(lambda actual, expected: actual <= number(expected)),
    "null": lambda actual, expected: actual is None,
    "not null": lambda actual, expected: actual is not None,
    "exists": lambda actual, expected: actual is not None,
    "not exists": lambda actual, expected: actual is None,
}
