"""Conditions on documents' metadata as SQL.

A document without the field satisfies what denies (`is not`, `not contains`, `not in`, `≠`) and `empty`, nothing else.
Times are seconds since 1970 or ISO 8601 in UTC, on both sides.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from typing import Any

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
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
# Never an error in PostgreSQL, whatever the text is: CASE looks before it casts.
_AS_NUMBER = (
    r"CASE WHEN {field} ~ '^\s*[+-]?(\d{{1,30}}\.?\d{{0,30}}|\.\d{{1,30}})\s*$' THEN CAST({field} AS numeric) END"
)
_AS_TIME = (
    r"CASE WHEN {field} ~ '^\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?|$)' THEN"
    " left(replace({field}, ' ', 'T') || substr('0000-00-00T00:00:00', length(substring({field} from '^[0-9T: -]{{10,19}}')) + 1), 19)"
    r" WHEN {field} ~ '^\d{{1,11}}(\.\d+)?$' THEN to_char(to_timestamp(CAST({field} AS float8)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"
    + '"T"'
    + "HH24:MI:SS') END"
)


def conditions_sql(conditions: Sequence[MetadataFilter], operator: str, metadata: str) -> tuple[str, dict[str, Any]]:
    """An SQL condition on a JSONB expression, and its values; empty where there are no conditions.

    Raises NodeFailed for an operator that is not known, and for a number or a time that is none.
    """
    parts, values = [], {}
    for number, condition in enumerate(conditions):
        field, value = f"({metadata} ->> :field_{number})", f":value_{number}"
        name = ALIASES.get(condition.operator, condition.operator)
        if name not in OPERATORS:
            raise NodeFailed(
                f"Metadata condition on {condition.name!r}: there is no operator {condition.operator!r}.",
                "MetadataFilterError",
            )
        sql, read = OPERATORS[name]
        try:
            values[f"field_{number}"] = condition.name
            if read is not None:
                values[f"value_{number}"] = read(condition.value)
        except ValueError as error:
            raise NodeFailed(f"Metadata condition on {condition.name!r}: {error}", "MetadataFilterError") from None
        parts.append(
            f"coalesce({sql.format(field=field, value=value, number=_AS_NUMBER.format(field=field), time=_AS_TIME.format(field=field))}, false)"
        )
    return (f" {'OR' if operator == 'or' else 'AND'} ".join(parts), values)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value).replace("\x00", "")


def _number(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > 60 or not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no number.")
    return text


def _time(value: Any) -> str:
    """Seconds or ISO 8601 as `2026-01-31T00:00:00`, in UTC."""
    text = _text(value).strip()
    try:
        if _NUMBER.fullmatch(text):
            moment = datetime.datetime.fromtimestamp(float(text), datetime.UTC)
        else:
            moment = datetime.datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{text[:60]!r} is no time.") from None
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def _list(value: Any) -> list[str]:
    """A list, or its items with commas between them."""
    return [_text(item).strip() for item in (value if isinstance(value, list | tuple) else _text(value).split(","))]


_Reader = Callable[[Any], Any]
OPERATORS: dict[str, tuple[str, _Reader | None]] = {
    "contains": ("strpos({field}, {value}) > 0", _text),
    "not contains": ("{field} IS NULL OR strpos({field}, {value}) = 0", _text),
    "start with": ("starts_with({field}, {value})", _text),
    "end with": ("right({field}, length({value})) = {value}", _text),
    "is": ("{field} = {value}", _text),
    "is not": ("{field} IS DISTINCT FROM {value}", _text),
    "empty": ("coalesce({field}, '') = ''", None),
    "not empty": ("{field} <> ''", None),
    "in": ("{field} = ANY(CAST({value} AS text[]))", _list),
    "not in": ("{field} IS NULL OR {field} <> ALL(CAST({value} AS text[]))", _list),
    "=": ("{number} = CAST({value} AS numeric)", _number),
    "≠": ("{number} IS DISTINCT FROM CAST({value} AS numeric)", _number),
    "<": ("{number} < CAST({value} AS numeric)", _number),
    ">": ("{number} > CAST({value} AS numeric)", _number),
    "≤": ("{number} <= CAST({value} AS numeric)", _number),
    "≥": ("{number} >= CAST({value} AS numeric)", _number),
    "before": ('{time} COLLATE "C" < {value}', _time),
    "after": ('{time} COLLATE "C" > {value}', _time),
}
