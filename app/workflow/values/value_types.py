"""The declared types of conversation and loop variables (contract dsl.md §3.2, §3.7 assigner)."""

from collections.abc import Mapping
from typing import Any

from app.workflow.values.files import File

ARRAY = "array"
NUMBERS = ("number", "integer", "float")


def is_array(declared: str) -> bool:
    return declared == ARRAY or declared.startswith("array[")


def member_type(declared: str) -> str:
    """The type of an array's members; `any` where it is open."""
    return declared.removeprefix("array[").removesuffix("]") if declared.startswith("array[") else "any"


def fits(value: Any, declared: str) -> bool:
    """Whether a value is of a type. A type that nobody knows takes everything."""
    if is_array(declared):
        return isinstance(value, list) and all(fits(item, member_type(declared)) for item in value)
    if declared in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    kinds: Mapping[str, type] = {"string": str, "boolean": bool, "object": Mapping, "file": File}
    return isinstance(value, kinds.get(declared, object))


def zero(declared: str) -> Any:
    """What an emptied variable holds."""
    if is_array(declared):
        return []
    if declared in NUMBERS:
        return 0
    return {"string": "", "secret": "", "boolean": False, "object": {}}.get(declared)
