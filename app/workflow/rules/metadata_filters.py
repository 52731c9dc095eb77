"""Metadata filters that a model derives from a question (`metadata_filtering_mode: automatic`)."""

from collections.abc import Callable, Sequence

from app.providers.models.chat_types import ModelMessage
from app.providers.models.json_answers import find_lists
from app.workflow.contracts.knowledge import MetadataFilter

MOST_CONDITIONS = 10
LONGEST_VALUE = 500
OPERATORS = (
    "contains",
    "not contains",
    "start with",
    "end with",
    "is",
    "is not",
    "empty",
    "not empty",
    "=",
    "≠",
    "<",
    ">",
    "≤",
    "≥",
    "before",
    "after",
)
TASK = (
    "Documents are described by these fields: {fields}.\n"
    "Read the user's question and say which values of these fields it asks for. "
    "Use a field only if the question clearly names a value for it.\n"
    "Answer with a JSON array and nothing else. "
    'Each item is {{"name": <field>, "operator": <one of {operators}>, "value": <text or number>}}.\n'
    "Where the question names no such value, answer []."
)

Ask = Callable[[Sequence[ModelMessage]], str]


def automatic_conditions(ask: Ask, fields: Sequence[str], query: str) -> list[MetadataFilter]:
    """Return the conditions that a model reads in a question. Entries with unknown fields or operators are dropped.

    `ask` returns the model's answer to messages; what it raises passes through.
    """
    if not fields or not query.strip():
        return []
    task = TASK.format(fields=", ".join(fields), operators=", ".join(OPERATORS))
    answer = ask([ModelMessage("system", task), ModelMessage("user", query)])
    entries = [entry for entry in next(find_lists(answer), []) if isinstance(entry, dict)]
    return [
        MetadataFilter(entry["name"], entry["operator"], _value(entry.get("value")))
        for entry in entries[:MOST_CONDITIONS]
        if entry.get("name") in fields and entry.get("operator") in OPERATORS
    ]


def _value(value: object) -> str | int | float | None:
    if value is None or isinstance(value, int | float):
        return value
    return str(value)[:LONGEST_VALUE]
