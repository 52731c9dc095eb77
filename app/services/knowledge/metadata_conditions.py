"""Read conditions on documents' metadata, as apps write them, into SQL.

A time is given in Unix seconds or as ISO 8601; without an offset it is UTC.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

from app.models.metadata_conditions import MetadataCondition, SqlCondition, any_or_all
from app.workflow.contracts.knowledge import MetadataFilter
from app.workflow.failures import NodeFailed

ALIASES = {
    "starts with": "start with",
    "ends with": "end with",
    "equals": "is",
    "==": "=",
    "!=": "≠",
    "<>": "≠",
    ">=": "≥",
    "<=": "≤",
    "null": "empty",
    "not null": "not empty",
    "is empty": "empty",
    "is not empty": "not empty",
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


def sql_condition(filters: Sequence[MetadataFilter], operator: str) -> SqlCondition:
    """Return the SQL condition that all filters are met, or with the operator `or` at least one of them.

    Raises NodeFailed for an unknown operator, and for a number or a time that cannot be read.
    """
    return any_or_all([_condition(condition) for condition in filters], operator == "or")


def _condition(condition: MetadataFilter) -> MetadataCondition:
    name = ALIASES.get(condition.operator, condition.operator)
    if name not in _READERS:
        raise NodeFailed(
            f"Metadata condition on {condition.name!r}: there is no operator {condition.operator!r}.",
            "MetadataFilterError",
        )
    try:
        return MetadataCondition(field=condition.name, operator=name, value=_READERS[name](condition.value))
    except ValueError as error:
        raise NodeFailed(f"Metadata condition on {condition.name!r}: {error}", "MetadataFilterError") from None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).replace("\x00", "")


def _number(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > 60 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is not a number.")
    return text


def _time(value: Any) -> str:
    """Return a time as `2026-01-31T00:00:00` in UTC, the form in which it is compared."""
    text = _text(value).strip()
    try:
        if _NUMBER.fullmatch(text):
            moment = datetime.datetime.fromtimestamp(float(text), datetime.UTC)
        else:
            moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text[:60]!r} is not a time.") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _list(value: Any) -> list[str]:
    """Return the items of a list, or of a text that separates them by commas."""
    return [_text(item).strip() for item in (value if isinstance(value, list | tuple) else _text(value).split(","))]


def _nothing(value: Any) -> None:
    """Read no value: `empty` and `not empty` compare with none."""


# How the value of each operator is read.
_READERS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("contains", "not contains", "start with", "end with", "is", "is not"), _text),
    **dict.fromkeys(("empty", "not empty"), _nothing),
    **dict.fromkeys(("in", "not in"), _list),
    **dict.fromkeys(("=", "≠", "<", ">", "≤", "≥"), _number),
    **dict.fromkeys(("before", "after"), _time),
}
