"""The tools of the provider `json_process`."""

import json
from typing import Any

import pytest

from app.tools.builtin.json_paths import BadPath, find
from app.tools.tool_types import ToolFailed
from tests.tools.builtin.calls import call

STORE = {"store": {"book": [{"title": "A", "price": 5}, {"title": "B", "price": 15, "tags": ["x"]}], "name": "Läden"}}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("store.name", ["Läden"]),
        ("$.store.name", ["Läden"]),
        ("$['store'][\"name\"]", ["Läden"]),
        ("$.store.book[0].title", ["A"]),
        ("$.store.book[-1].title", ["B"]),
        ("store.book.1.title", ["B"]),
        ("$.store.book[*].title", ["A", "B"]),
        ("$.store.book[0:1].title", ["A"]),
        ("$..title", ["A", "B"]),
        ("$.store.*[1].price", [15]),
        ("$.store.book[?(@.price > 10)].title", ["B"]),
        ("$.store.book[?(@.title == 'A')].price", [5]),
        ("$.store.book[?(@.tags)].title", ["B"]),
        ("$", [STORE]),
        ("", [STORE]),
        ("$.none", []),
        ("store.book[9]", []),
        ("store.name[0]", []),
    ],
)
def test_a_path_finds(path: str, values: list[Any]) -> None:
    assert [place.value for place in find(STORE, path)] == values


@pytest.mark.parametrize("path", ["$.[", "a[b]", "a b(", "x" * 2_000])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        find(STORE, path)


def nested(value: Any, times: int) -> Any:
    for _ in range(times):
        value = [value]
    return value


@pytest.mark.parametrize(("value", "path"), [([[0] * 1_000] * 200, "$..*"), (nested([0] * 5_000, 200), "$..*..none")])
def test_a_path_that_leads_everywhere_is_bounded(value: Any, path: str) -> None:
    with pytest.raises(BadPath, match="more than"):
        find(value, path)


@pytest.mark.parametrize(
    ("path", "more", "text"),
    [
        ("store.book[0].title", {}, "A"),
        ("store.book[0].price", {}, "5"),
        ("store.book[0]", {}, '{"title": "A", "price": 5}'),
        ("$..title", {}, '["A", "B"]'),
        ("$..name", {"ensure_ascii": 1}, "Läden"),
        ("store.book[1].tags", {"ensure_ascii": "false"}, '["x"]'),
        ("none", {}, ""),
    ],
)
def test_parse_gives_the_value(path: str, more: dict[str, Any], text: str) -> None:
    content = json.dumps(STORE)
    assert call("langgenius/json_process/json_process", "parse", content=content, json_filter=path, **more).text == text


def test_a_value_that_is_no_text_is_taken_too() -> None:
    assert call("json_process", "parse", content={"a": 1}, json_filter="a").text == "1"


def test_parse_gives_objects_as_json_too() -> None:
    answer = call("json_process", "parse", content=json.dumps(STORE), json_filter="store.book")
    assert [item["title"] for item in answer.json] == ["A", "B"]


@pytest.mark.parametrize(
    ("tool", "arguments", "after"),
    [
        ("json_insert", {"content": '{"a": {}}', "query": "a", "new_value": {"b": 1}}, {"a": {"b": 1}}),
        ("json_insert", {"content": '{"a": [1, 3]}', "query": "a", "new_value": 2, "index": "1"}, {"a": [1, 2, 3]}),
        (
            "json_insert",
            {"content": '{"a": [1]}', "query": "a", "new_value": "[2]", "value_decode": True},
            {"a": [1, [2]]},
        ),
        (
            "json_insert",
            {"content": "{}", "query": "$.a.b", "new_value": "x", "create_path": "true"},
            {"a": {"b": "x"}},
        ),
        ("json_replace", {"content": '{"a": 1}', "query": "a", "replace_value": "x"}, {"a": "x"}),
        ("json_replace", {"content": '{"a": 1}', "query": "$", "replace_value": "x"}, "x"),
        (
            "json_replace",
            {"content": '{"a": 1, "b": 2}', "query": "a", "replace_value": "c", "replace_model": "key"},
            {"c": 1, "b": 2},
        ),
        (
            "json_replace",
            {"content": '{"a": 1, "b": 2}', "query": "*", "replace_value": "c", "replace_model": "key"},
            {"c": 2},
        ),
        (
            "json_replace",
            {
                "content": '{"a": "1-2-3"}',
                "query": "a",
                "replace_value": "+",
                "replace_pattern": "-",
                "replace_model": "pattern",
            },
            {"a": "1+2+3"},
        ),
        ("json_delete", {"content": '{"a": [1, 2, 3], "b": 1}', "query": "a[*]"}, {"a": [], "b": 1}),
        ("json_delete", {"content": '{"a": {"k": 1}, "b": {"k": 2}}', "query": "$..k"}, {"a": {}, "b": {}}),
    ],
)
def test_json_is_changed(tool: str, arguments: dict[str, Any], after: Any) -> None:
    assert json.loads(call("json_process", tool, **arguments).text) == after


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("parse", {"content": "no", "json_filter": "a"}, "content is no JSON"),
        ("parse", {"content": "[" * 100_000, "json_filter": "a"}, "content is no JSON"),
        ("parse", {"content": "{}", "json_filter": "a["}, "Bad path"),
        ("json_insert", {"content": '{"a": 1}', "query": "a", "new_value": 1}, "Nothing can be inserted there"),
        ("json_insert", {"content": '{"a": {}}', "query": "a", "new_value": 1}, "only take an object"),
        (
            "json_insert",
            {"content": "{}", "query": "a[0]", "new_value": 1, "create_path": 1},
            "Only a path of names",
        ),
    ],
)
def test_what_cannot_be_done_is_told(tool: str, arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ToolFailed, match=problem):
        call("json_process", tool, **arguments)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("json_insert", {"content": [[]] * 1_000, "query": "[*]", "new_value": "x" * 10_000}),
        ("json_replace", {"content": [0] * 1_000, "query": "[*]", "replace_value": "x" * 10_000}),
        (
            "json_replace",
            {
                "content": ["a" * 100] * 1_000,
                "query": "[*]",
                "replace_model": "pattern",
                "replace_pattern": "a",
                "replace_value": "x" * 100,
            },
        ),
    ],
)
def test_json_that_would_grow_without_bound_is_refused(tool: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ToolFailed, match="longer than"):
        call("json_process", tool, **arguments)
