"""The declared types of conversation and loop variables (contract dsl.md §3.2, §3.7 assigner)."""

from collections.abc import Mapping
from typing import Any

from app.workflow.values.files import File

ARRAY = "array"
NUMBERS = ("number", "integer", "float")


def is_array(declared: str) -> bool:
    """Return whether a declared type is an array's: `array` or `array[…]`."""
    return declared == ARRAY or declared.startswith("array[")


def member_type(declared: str) -> str:
    """Return the type of an array type's members: `string` for `array[string]`, `any` for a bare `array`."""
    return declared.removeprefix("array[").removesuffix("]") if declared.startswith("array[") else "any"


def fits(value: Any, declared: str) -> bool:
    """Return whether a value has a declared type. Unknown types (`any`, those of newer files) accept every value."""
    if is_array(declared):
        return isinstance(value, list) and all(fits(item, member_type(declared)) for item in value)
    if declared in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    kinds: Mapping[str, type] = {"string": str, "boolean": bool, "object": Mapping, "file": File}
    return isinstance(value, kinds.get(declared, object))


def cleared_value(declared: str) -> Any:
    """Return what a variable of this type holds when it is cleared: "", 0, false, [], {} or null."""
    if is_array(declared):
        return []
    if declared in NUMBERS:
        return 0
    return {"string": "", "secret": "", "boolean": False, "object": {}}.get(declared)
