"""No regular expression of the product does more work than its text is long, whatever the text.

Models and visitors write the texts, and Python's matcher holds the whole process. Work is counted, not timed: a text
twice as long may take about twice the steps.
"""

import ast
import functools
import importlib
import re

import pytest

from tests.support.expression_steps import StepCounter, TooManySteps, attacks
from tests.support.paths import PROJECT

SOURCES = {
    path.relative_to(PROJECT).as_posix(): ast.parse(path.read_text()) for path in (PROJECT / "app").rglob("*.py")
}
FROM_THE_START = {"fullmatch", "match"}
SIZE = 18


def calls_of_re(tree, *, but=()):
    """The calls of functions of `re` in a module."""
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr not in but
    ]


def expressions(module):
    """The expressions that a module's names hold, with the name."""
    for name, value in vars(module).items():
        held = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
        yield from ((name, pattern) for pattern in held if isinstance(pattern, re.Pattern))


@functools.cache
def ways_of_use():
    """The methods that are called on each name, in the whole product."""
    ways = {}
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value.value if isinstance(node.value, ast.Subscript) else node.value
                ways.setdefault(getattr(owner, "id", getattr(owner, "attr", None)), set()).add(node.attr)
    return ways


def fault(pattern, *, everywhere):
    """Return what is wrong with an expression, None where its work is bounded by the text's length."""
    counter = StepCounter(pattern)
    for beginning, part, end in attacks(pattern):
        times = max(6, SIZE // len(part))
        texts = [beginning + part * (times * factor) + end for factor in (1, 2)]
        try:
            once, twice = (counter.steps(text, whole=not everywhere, everywhere=everywhere) for text in texts)
        except TooManySteps:
            return f"never ends on {texts[1]!r}"
        if twice > 1.35 * once * len(texts[1]) / len(texts[0]) + 60:
            return f"{once} steps, then {twice} for {texts[1]!r}"
    return None


@pytest.mark.parametrize("path", sorted(path for path, tree in SOURCES.items() if calls_of_re(tree)))
def test_work_grows_no_faster_than_the_text(path):
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    ways = ways_of_use()
    for name, pattern in expressions(module):
        found = fault(pattern, everywhere=not ways.get(name, set()) <= FROM_THE_START)
        assert found is None, f"{name}: {found}"


@pytest.mark.parametrize("expression", ["(a+)+b", r"\s*:\s*x", r"(\d+\.?\d*)x", "(.*),(.*),x", r"[.]+\s"])
def test_work_that_grows_faster_is_seen(expression):
    assert fault(re.compile(expression), everywhere=True) is not None


def test_expressions_are_compiled_where_this_test_finds_them():
    strays = [
        f"{path}:{call.lineno}"
        for path, tree in SOURCES.items()
        for call in calls_of_re(tree, but=("compile", "escape"))
    ]
    assert strays == []
