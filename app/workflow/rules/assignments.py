"""The operations of assigner nodes: from a variable's value and an operand to its new value (contract dsl.md §3.7)."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Literal

import orjson

from app.workflow.rules.comparisons import kind_of
from app.workflow.values.value_types import NUMBERS, cleared_value, fits, is_array, member_type

Operation = Literal[
    "over-write", "clear", "set", "append", "extend", "+=", "-=", "*=", "/=", "remove-first", "remove-last"
]
# Operations whose operand is another variable (the others have a constant in the app file), and operations without an
# operand, for which editors write `input_type: variable`.
FROM_VARIABLE = frozenset({"over-write", "clear", "append", "extend", "remove-first", "remove-last"})
WITHOUT_OPERAND = frozenset({"clear", "remove-first", "remove-last"})


class Unassignable(Exception):
    """An operation that does not suit its variable or operand. The text is one clause, without a period."""


def assigned(operation: Operation, declared: str, current: Any, operand: Any) -> Any:
    """Return the variable's new value; `current` itself is not changed. Raises Unassignable."""
    return _OPERATIONS[operation](declared, cleared_value(declared) if current is None else current, operand)


def _refuse(declared: str, operand: Any) -> Unassignable:
    return Unassignable(f"a value of type {kind_of(operand)} does not fit a variable of type {declared}")


def _over_write(declared: str, current: Any, operand: Any) -> Any:
    if not fits(operand, declared):
        raise _refuse(declared, operand)
    return operand


def _set(declared: str, current: Any, operand: Any) -> Any:
    if is_array(declared):
        raise Unassignable(f"a variable of type {declared} cannot be set")
    return _over_write(declared, current, _loaded(operand) if declared == "object" else operand)


def _loaded(operand: Any) -> Any:
    """Return an operand of `set`; editors write objects as JSON text."""
    if not isinstance(operand, str):
        return operand
    try:
        return orjson.loads(operand)
    except orjson.JSONDecodeError:
        raise Unassignable("the text is not a JSON object") from None


def _array(declared: str, current: Any) -> list[Any]:
    if not is_array(declared) or not isinstance(current, list):
        raise Unassignable(f"a variable of type {declared} is not an array")
    return current


def _append(declared: str, current: Any, operand: Any) -> Any:
    members = _array(declared, current)
    if not fits(operand, member_type(declared)):
        raise _refuse(declared, operand)
    return [*members, operand]


def _extend(declared: str, current: Any, operand: Any) -> Any:
    members = _array(declared, current)
    if not isinstance(operand, list) or not fits(operand, declared):
        raise _refuse(declared, operand)
    return [*members, *operand]


def _calculate(calculation: Callable[[Any, Any], Any]) -> Callable[[str, Any, Any], Any]:
    def calculated(declared: str, current: Any, operand: Any) -> Any:
        if declared not in NUMBERS or not fits(current, declared):
            raise Unassignable(f"a variable of type {declared} is not a number")
        if not fits(operand, "number"):
            raise _refuse(declared, operand)
        try:
            result = calculation(current, operand)
            if not math.isfinite(result):
                raise OverflowError
        except ZeroDivisionError:
            raise Unassignable("division by cleared_value") from None
        except OverflowError:
            raise Unassignable("the result is too large") from None
        return result

    return calculated


_OPERATIONS: Mapping[str, Callable[[str, Any, Any], Any]] = {
    "over-write": _over_write,
    "clear": lambda declared, current, operand: cleared_value(declared),
    "set": _set,
    "append": _append,
    "extend": _extend,
    "+=": _calculate(operator.add),
    "-=": _calculate(operator.sub),
    "*=": _calculate(operator.mul),
    "/=": _calculate(operator.truediv),
    "remove-first": lambda declared, current, operand: _array(declared, current)[1:],
    "remove-last": lambda declared, current, operand: _array(declared, current)[:-1],
}
