"""Arithmetic that models write, evaluated without running any of it: a walk over Python's syntax tree, bounded in size."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 1_000
DEEPEST = 50
MOST_DIGITS = 400
_Number = int | float

_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": abs,
    "round": round,
    "min": min,
    "max": max,
    "sqrt": math.sqrt,
    "log": math.log,
    "log2": math.log2,
    "log10": math.log10,
    "exp": math.exp,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "floor": math.floor,
    "ceil": math.ceil,
}
_CONSTANTS = {"pi": math.pi, "e": math.e}


class ArithmeticFailed(Exception):
    """The expression has no value; the text is one line for its writer."""


def evaluate(expression: str) -> str:
    """The value of an expression as a text. `^` and `×` are read as people mean them. Raises ArithmeticFailed."""
    text = expression.strip().replace("^", "**").replace("×", "*").replace("÷", "/").replace("−", "-")
    if len(text) > LONGEST:
        raise ArithmeticFailed(f"The expression is longer than {LONGEST} characters.")
    try:
        value = _value(ast.parse(text, mode="eval").body, DEEPEST)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ArithmeticFailed("This is no arithmetic expression.") from None
    except ZeroDivisionError:
        raise ArithmeticFailed("Division by zero.") from None
    except (OverflowError, TypeError):
        raise ArithmeticFailed("The expression has no value.") from None
    return str(value)


def _value(node: ast.expr, depth: int) -> _Number:
    if depth == 0:
        raise ArithmeticFailed("The expression is nested too deeply.")
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as number):
            return _bounded(number)
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, depth - 1)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand, depth - 1)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left, depth - 1), _value(right, depth - 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _bounded(_OPERATORS[type(op)](_value(left, depth - 1), _value(right, depth - 1)))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*(_value(argument, depth - 1) for argument in arguments)))
    raise ArithmeticFailed("Only numbers, + - * / // % **, parentheses and the usual functions are understood.")


def _power(base: _Number, exponent: _Number) -> _Number:
    if (
        isinstance(base, int)
        and isinstance(exponent, int)
        and abs(exponent) * max(abs(base), 2).bit_length() > MOST_DIGITS * 4
    ):
        raise ArithmeticFailed("The number is too large.")
    result = base**exponent
    if isinstance(result, complex):
        raise ArithmeticFailed("The expression has no real value.")
    return _bounded(result)


def _bounded(number: _Number) -> _Number:
    if isinstance(number, int) and number.bit_length() > MOST_DIGITS * 4:
        raise ArithmeticFailed("The number is too large.")
    return number
