"""The tools of the providers `regex` and `csv`."""

import json
from typing import Any

import pytest

from app.providers.cancellation import Cancellation
from app.tools.tool_types import ToolChoice, ToolFailed
from tests.tools.builtin.calls import call, registry


@pytest.mark.parametrize(
    ("content", "expression", "text"),
    [
        ("a1 b22", r"\d+", "['1', '22']"),
        ("k=v x=y", r"(\w)=(\w)", "[('k', 'v'), ('x', 'y')]"),
        ("<b>x</b>", r"(?<=<b>).*(?=</b>)", "['x']"),
        ("abc", "z", "[]"),
    ],
)
def test_regex_extract_gives_all_matches(content: str, expression: str, text: str) -> None:
    assert call("regex", "regex_extract", content=content, expression=expression).text == text


def test_an_expression_without_end_is_ended() -> None:
    with pytest.raises(ToolFailed, match="took longer than"):
        call("regex", "regex_extract", content="a" * 40 + "!", expression=r"(a|aa|a+)+$")


def test_the_time_of_an_expression_is_that_of_all_its_matches() -> None:
    tool = registry().find(ToolChoice("builtin", "regex", "regex_extract"))
    with pytest.raises(ToolFailed, match="took longer than"):
        tool.call({"content": "aaa", "expression": "a"}, 1e-9, Cancellation())


def test_matches_that_overlap_are_bounded() -> None:
    with pytest.raises(ToolFailed, match="characters in all"):
        call("regex", "regex_extract", content="a" * 10_000, expression="(?=(.*))")


@pytest.mark.parametrize("expression", ["(", "x" * 2_000])
def test_a_wrong_expression_is_told(expression: str) -> None:
    with pytest.raises(ToolFailed):
        call("regex", "regex_extract", content="a", expression=expression)


@pytest.mark.parametrize(
    ("content", "objects"),
    [
        ("a,b\n1,2\n", [{"a": "1", "b": "2"}]),
        ('\ufeffa;b\n1;"x;y"', [{"a": "1", "b": "x;y"}]),
        ("a\tb\n1", [{"a": "1", "b": ""}]),
    ],
)
def test_csv_becomes_objects(content: str, objects: list[dict[str, str]]) -> None:
    answer = call("csv", "csv_to_json", content=content)
    assert json.loads(answer.text) == list(answer.json) == objects


@pytest.mark.parametrize("heading", ["," * 10_000, "long" * 10_000])
def test_rows_that_repeat_long_headings_are_bounded(heading: str) -> None:
    with pytest.raises(ToolFailed, match="too large"):
        call("csv", "csv_to_json", content=heading + "\nx" * 1_000)


@pytest.mark.parametrize("content", ['[{"a": 1, "b": [2]}, {"a": null, "c": "x,y"}]'])
def test_objects_become_csv(content: str) -> None:
    assert call("csv", "json_to_csv", content=content).text == 'a,b,c\n1,[2],\n,,"x,y"\n'


@pytest.mark.parametrize(("tool", "content"), [("csv_to_json", " "), ("json_to_csv", "[1]"), ("json_to_csv", "no")])
def test_what_is_no_table_is_told(tool: str, content: Any) -> None:
    with pytest.raises(ToolFailed):
        call("csv", tool, content=content)
