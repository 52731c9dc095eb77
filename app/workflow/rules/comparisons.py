"""The comparison operators of conditions (contract dsl.md §3.7, if-else: the table and its finer points)."""

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
# Operators without an expected value.
UNARY = frozenset({"empty", "not empty", "null", "not null", "exists", "not exists"})


class Incomparable(Exception):
    """A comparison whose operator does not suit its values. The text is one clause, without a period."""


def compare(actual: Any, operator: Operator, expected: Any) -> bool:
    """Return whether the comparison holds. Raises Incomparable."""
    return _OPERATORS[operator](actual, expected)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal and of one type. In Python `True == 1`; here true differs from 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def truth(value: Any) -> bool:
    """Return the boolean that a value stands for: true, false, 1, 0, or one of them as JSON. Raises Incomparable."""
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
    """Return a number, or the number that a text holds. Raises Incomparable."""
    if _is_number(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, bool):
        raise Incomparable("a boolean is not a number")
    try:
        return int(value) if isinstance(value, str) and value.strip().lstrip("+-").isdecimal() else float(value)
    except (TypeError, ValueError):
        raise Incomparable(f"{value!r} is not a number") from None


def kind_of(value: Any) -> str:
    """Return the name of a value's type, for messages: boolean, number, string, array, file, object or null."""
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
    return _is_nonempty_text(actual) and actual.startswith(text_of(expected))


def _ends(actual: Any, expected: Any) -> bool:
    return _is_nonempty_text(actual) and actual.endswith(text_of(expected))


def _is_nonempty_text(actual: Any) -> bool:
    """Return False for empty values of any type, null included. Raises Incomparable for other values than texts."""
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
        raise Incomparable("the value is not a list")
    return any(same(actual, item) for item in expected)


def _all_of(actual: Any, expected: Any) -> bool:
    if not actual:
        return False
    if not isinstance(actual, list):
        raise _refuse(actual)
    if not isinstance(expected, list):
        raise Incomparable("the value is not a list")
    return all(_contains(actual, item) for item in expected)


def _equal(actual: Any, expected: Any) -> bool:
    wanted = number(expected)
    # As the contract has it: an integer takes an integer text, where `>` and the like take decimals too.
    if isinstance(actual, int) and isinstance(expected, str) and not isinstance(wanted, int):
        raise Incomparable(f"{expected!r} is not an integer")
    return bool(actual == wanted)


def _unless_null(compare_it: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return the comparison with false for null: a null value neither is nor is not anything."""
    return lambda actual, expected: actual is not None and compare_it(actual, expected)


def _numeric(compare_it: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Return the comparison with false for null, like `is`. It raises Incomparable for other values than numbers."""

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
