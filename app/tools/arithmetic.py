"""Evaluate the arithmetic that models write: as Python, in the sandbox, with numbers of a bounded size."""

import re

from app.providers.cancellation import Cancellation
from app.providers.sandbox import Sandbox, SandboxFailed

LONGEST = 1_000
MOST_BITS = 1_600
# An operation on numbers of this size takes a few milliseconds; the time is looked at between two operations.
MOST_BYTES = 128 * 1024
MOST_SECONDS = 0.25
_NUMBER = r"(?i:0[xob][0-9a-f_]++|[0-9._]++(?:e[+-]?[0-9_]++)?+)(?![^\W\d])"
_NAME = r"(?:abs|round|min|max|sqrt|log|log2|log10|exp|sin|cos|tan|asin|acos|atan|floor|ceil|pi|e)\b"
# The sandbox keeps code from doing harm. This keeps what is no arithmetic (conditions, texts, lists) from having a
# value. Possessive, so that a long text is looked at once.
_ARITHMETIC = re.compile(rf"(?:[\s,()+\-*/%]|{_NUMBER}|{_NAME})*+")
_PROGRAM = """
from math import sqrt, log, log2, log10, exp, sin, cos, tan, asin, acos, atan, floor, ceil, pi, e

builtin_round = round

def round(number, digits=None):
    # The interpreter's own gives 2.68 for 2.675, a float that is a little less; Python gives 2.67.
    if isinstance(number, float) and isinstance(digits, int) and digits >= 0:
        return float(f"{number:.{digits}f}")
    return builtin_round(number, digits)

def main(most_bits):
    # In brackets, which an expression has no sign to close.
    values = [
EXPRESSION
]
    value = values[0] if len(values) == 1 else ()
    if isinstance(value, int) and abs(value) >= 2 ** most_bits:
        raise MemoryError
    return value if isinstance(value, (int, float)) else type(value).__name__
"""
NO_ARITHMETIC = "This is no arithmetic expression."
NOT_UNDERSTOOD = "Only numbers, + - * / // % **, parentheses and the usual functions are understood."
# By the exception that the program ends with; a number of millions of digits runs into the limit of memory or time.
_SENTENCES = {
    "ZeroDivisionError": "Division by zero.",
    "OverflowError": "The expression has no value.",
    "TypeError": "The expression has no value.",
    "MemoryError": "The number is too large.",
    "TimeoutError": "The number is too large.",
}


class ArithmeticFailed(Exception):
    """The expression has no value; the text is one line for its writer."""


def evaluate(expression: str, sandbox: Sandbox, seconds: float, cancellation: Cancellation) -> str:
    """Return the value of an expression as a text. `^`, `×`, `÷` and `−` are read as people mean them.

    Raises ArithmeticFailed, Cancelled.
    """
    text = expression.strip().replace("^", "**").replace("×", "*").replace("÷", "/").replace("−", "-")
    if len(text) > LONGEST:
        raise ArithmeticFailed(f"The expression is longer than {LONGEST} characters.")
    if not text:
        raise ArithmeticFailed(NO_ARITHMETIC)
    if not _ARITHMETIC.fullmatch(text):
        raise ArithmeticFailed(NOT_UNDERSTOOD)
    program, limit = _PROGRAM.replace("EXPRESSION", text), min(seconds, MOST_SECONDS)
    try:
        value = sandbox.calculate(program, {"most_bits": MOST_BITS}, limit, MOST_BYTES, cancellation)
    except SandboxFailed as failure:
        raise ArithmeticFailed(_sentence(failure)) from None
    if isinstance(value, str):
        raise ArithmeticFailed("The expression has no real value." if value == "complex" else NOT_UNDERSTOOD)
    return str(value)


def _sentence(failure: SandboxFailed) -> str:
    if not failure.error:
        # The sandbox itself is busy or broken: no fault of the expression.
        return str(failure)
    if failure.error == "SyntaxError" and "deeply nested" in str(failure):
        return "The expression is nested too deeply."
    return _SENTENCES.get(failure.error, NO_ARITHMETIC)
