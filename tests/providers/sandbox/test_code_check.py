"""What is told of a code node's source before it runs: its interpreter, and what in it cannot run."""

import pytest

from app.providers.sandbox.code_check import TOO_FEW_FENCES, CodeCheck, CodeProblem, check_code

MAIN = "def main():\n    return {}\n"


@pytest.mark.parametrize(
    "source",
    [
        "def main(a, b=2):\n    return {'c': [a + b for _ in range(3)]}",
        "import json\ndef main(a: str) -> dict:\n    try:\n        return json.loads(a)\n"
        "    except ValueError:\n        return {'e': 'no JSON'}",
        "def main(a):\n    return {'t': json.dumps(a, ensure_ascii=False, indent=2)}",
        "from typing import Any\nimport math\ndef main(a: Any):\n    return {'f': f'{math.floor(a):>5}'.strip()}",
    ],
)
def test_plain_python_runs_in_the_fast_interpreter(source):
    assert check_code("python3", source, ()) == check_code("python3", source, ["numpy"])
    assert check_code("python3", source, ()).interpreter == "monty"


@pytest.mark.parametrize(
    "source",
    [
        "import uuid",
        "import re",
        "import requests",
        "from datetime import *",
        "class A(dict):\n    pass",
        "def numbers():\n    yield 1",
        "n = round(2.675, 2)",
        "s = {1, 2}",
        "del s",
        "d = b64decode('')",
        "n = (1).__class__",
        "async def f():\n    pass",
        "with open('x') as f:\n    pass",
        "x = sorted([], **{'key': len})",
        "@print\ndef f():\n    pass",
        "match 1:\n    case 1:\n        pass",
        "import json as j",
        "try:\n    x = json.loads('')\nexcept ValueError as error:\n    x = str(error)",
        "e = ValueError('a', 1)",
        "unknown",
        "x = map(str, [1])",
        "x = {'y': (i for i in [1])}",
    ],
)
def test_all_other_python_runs_in_cpython(source):
    check = check_code("python3", f"{source}\n{MAIN}", ())
    assert (check.interpreter, check.problems) == ("cpython", ())


def branches(count):
    """Return a program that to Python's parser has each branch inside the one before it."""
    rest = "".join(f"    elif a == {number}:\n        return {number}\n" for number in range(1, count))
    return f"def main(a):\n    if a == 0:\n        return 0\n{rest}"


def total(count):
    return f"def main(a):\n    return {' + '.join(['a'] * count)}"


@pytest.mark.parametrize("program", [branches, total])
def test_programs_of_many_levels_run_in_cpython(program):
    assert [check_code("python3", program(count), ()) for count in (90, 150, 2_000)] == [
        CodeCheck("monty"),
        CodeCheck("cpython"),
        CodeCheck("cpython"),
    ]


def test_javascript_has_one_interpreter():
    assert check_code("javascript", "function main({a}) { return {a} }", ()).interpreter == "quickjs"


@pytest.mark.parametrize(
    ("language", "source", "line"),
    [
        ("python3", "def main():\n    return {", 2),
        ("python3", "def main():\nreturn 1", 2),
        ("python3", "x = 1\n\0", None),
        ("python3", "(" * 10_000, 1),
        ("python3", "-" * 1_000_000 + "1", None),
        ("javascript", "function main() {\n  return {a: }\n}", 2),
        ("javascript", "import fs from 'fs'", 1),
        ("javascript", "[" * 1_000_000, None),
        ("ruby", "", None),
    ],
)
def test_a_source_that_cannot_be_parsed_names_its_line(language, source, line):
    check = check_code(language, source, ())
    assert check.interpreter == ""
    assert [problem.line for problem in check.problems] == [line]


def test_missing_packages_are_told_with_their_lines():
    source = f"import os, numpy.linalg\nfrom yaml import load\n{MAIN}    import ctypes\n"
    assert [(problem.line, problem.text.split(",")[0]) for problem in check_code("python3", source, ()).problems] == [
        (1, "It imports 'numpy'"),
        (2, "It imports 'yaml'"),
        (5, "It imports 'ctypes'"),
    ]


def test_packages_of_the_operator_can_be_imported_if_they_are_installed():
    source = f"import orjson\nimport not_installed_anywhere\n{MAIN}"
    assert check_code("python3", source, ["orjson", "not_installed_anywhere"]).problems == (
        CodeProblem(
            2,
            "It imports 'not_installed_anywhere', which CODE_PACKAGES names, but which is not installed beside "
            "Frontdesk.",
        ),
    )


@pytest.mark.parametrize("caught", ["ImportError", "(ValueError, ModuleNotFoundError)", "Exception"])
def test_an_import_whose_failure_is_handled_is_no_problem(caught):
    source = f"try:\n    import yaml\nexcept {caught}:\n    yaml = None\n{MAIN}"
    assert check_code("python3", source, ()).problems == ()
    source = f"try:\n    import yaml\nexcept KeyError:\n    yaml = None\n{MAIN}"
    assert len(check_code("python3", source, ()).problems) == 1


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        (MAIN, False),
        ("async def main():\n    pass", False),
        ("main = lambda: {}", False),
        ("from json import loads as main", False),
        ("def start():\n    pass", True),
        ("main(1)", True),
    ],
)
def test_a_source_without_main_is_told(source, missing):
    assert bool(check_code("python3", source, ()).problems) is missing


def test_a_host_with_too_few_defences_is_told_for_code_that_needs_them(monkeypatch):
    monkeypatch.setattr("app.providers.sandbox.code_check.offered_fences", frozenset)
    assert [problem.text for problem in check_code("python3", f"import re\n{MAIN}", ()).problems] == [TOO_FEW_FENCES]
    assert check_code("python3", MAIN, ()).problems == ()
