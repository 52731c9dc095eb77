"""Conditions on the metadata of documents, as SQL.

A document without the field satisfies what denies (`is not`, `not contains`, `not in`, `≠`) and `empty`, nothing else.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple


class MetadataCondition(NamedTuple):
    """One condition. `operator` is a key of `OPERATORS`.

    `value` is a text; a list of texts for `in` and `not in`; the text of a number for those that compare numbers; a
    time in UTC like 2026-01-31T00:00:00 for `before` and `after`.
    """

    field: str
    operator: str
    value: Any


class SqlCondition(NamedTuple):
    """A condition on rows of `document`, empty for none, and the values of its parameters."""

    sql: str
    values: dict[str, Any]


# Never an error in PostgreSQL, whatever the text is: CASE looks before it casts.
_AS_NUMBER = r"""CASE WHEN {field} ~ '^\s*[+-]?(\d{{1,30}}\.?\d{{0,30}}|\.\d{{1,30}})\s*$'
    THEN CAST({field} AS numeric) END"""
# A date alone is filled up to its midnight; seconds since 1970 become the same form; what is neither is no time.
_AS_TIME = r"""CASE WHEN {field} ~ '^\d{{4}}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?|$)' THEN
    left(replace({field}, ' ', 'T')
        || substr('0000-00-00T00:00:00', length(substring({field} from '^[0-9T: -]{{10,19}}')) + 1), 19)
    WHEN {field} ~ '^\d{{1,11}}(\.\d+)?$'
    THEN to_char(to_timestamp(CAST({field} AS float8)) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS') END"""

# `{field}` is the metadata's text, `{number}` and `{time}` that text read as such, `{value}` the parameter.
OPERATORS = {
    "contains": "strpos({field}, {value}) > 0",
    "not contains": "{field} IS NULL OR strpos({field}, {value}) = 0",
    "start with": "starts_with({field}, {value})",
    "end with": "right({field}, length({value})) = {value}",
    "is": "{field} = {value}",
    "is not": "{field} IS DISTINCT FROM {value}",
    "empty": "coalesce({field}, '') = ''",
    "not empty": "{field} <> ''",
    "in": "{field} = ANY(CAST({value} AS text[]))",
    "not in": "{field} IS NULL OR {field} <> ALL(CAST({value} AS text[]))",
    "=": "{number} = CAST({value} AS numeric)",
    "≠": "{number} IS DISTINCT FROM CAST({value} AS numeric)",
    "<": "{number} < CAST({value} AS numeric)",
    ">": "{number} > CAST({value} AS numeric)",
    "≤": "{number} <= CAST({value} AS numeric)",
    "≥": "{number} >= CAST({value} AS numeric)",
    "before": '{time} COLLATE "C" < {value}',
    "after": '{time} COLLATE "C" > {value}',
}


def any_or_all(conditions: Sequence[MetadataCondition], any_of_them: bool) -> SqlCondition:
    """Return the condition that all of these hold, or with `any_of_them` one of them."""
    parts: list[str] = []
    values: dict[str, Any] = {}
    for number, condition in enumerate(conditions):
        field = f"(document.metadata ->> :field_{number})"
        read = {"number": _AS_NUMBER.format(field=field), "time": _AS_TIME.format(field=field)}
        sql = OPERATORS[condition.operator].format(field=field, value=f":value_{number}", **read)
        values |= {f"field_{number}": condition.field, f"value_{number}": condition.value}
        # A comparison with what is not there is no match, rather than NULL.
        parts.append(f"coalesce({sql}, false)")
    return SqlCondition((" OR " if any_of_them else " AND ").join(parts), values)
