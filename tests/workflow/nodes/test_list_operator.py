"""`list-operator` (contract dsl.md §3.7): filter, extract, order, limit."""

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from app.workflow.values.files import File
from tests.support.workflow.graphs import graph, node, run, start

IMAGE = File("1", "image", "local_file", "a.png", extension=".png", mime_type="image/png", size=10, related_id="r")
DOCUMENT = File("2", "document", "remote_url", "b.pdf", extension=".pdf", mime_type="application/pdf", size=2000)
SOUND = File("3", "audio", "local_file", "c.mp3", extension=".mp3", mime_type="audio/mpeg", size=300)
FILES = [IMAGE, DOCUMENT, SOUND]


def definition(**data):
    return graph(start(), node("n", "list-operator", variable=["start", "x"], **data), "start > n")


def result(items, more=None, **data):
    """Return the resulting list, or "error"."""
    record = run(definition(**data), {"x": items, **(more or {})})
    return "error" if record.end.status == "failed" else record.outputs("n")["result"]


def by(operator, value=None, key=""):
    return {"enabled": True, "conditions": [{"key": key, "comparison_operator": operator, "value": value}]}


@pytest.mark.parametrize(
    ("items", "first", "last"),
    [(["a", "b", "c"], "a", "c"), (["a"], "a", "a"), ([], None, None), (FILES, IMAGE, SOUND)],
)
def test_the_list_and_its_ends_are_given(items, first, last):
    record = run(definition(), {"x": items})
    assert record.outputs("n") == {"result": items, "first_record": first, "last_record": last}


@pytest.mark.parametrize(
    ("items", "operator", "value", "expected"),
    [
        (["apple", "plum"], "contains", "pp", ["apple"]),
        (["apple", "plum"], "not contains", "pp", ["plum"]),
        (["apple", "plum"], "start with", "pl", ["plum"]),
        (["apple", "plum"], "end with", "le", ["apple"]),
        (["apple", "plum"], "is", "plum", ["plum"]),
        (["apple", "plum"], "is not", "plum", ["apple"]),
        (["apple", "plum"], "in", "pineapple", ["apple"]),
        (["apple", "plum"], "not in", "pineapple", ["plum"]),
        (["apple", "plum"], "in", ["plum"], ["plum"]),
        (["apple", "plum"], "not in", ["plum"], ["apple"]),
        (["apple", ""], "empty", None, [""]),
        (["apple", ""], "not empty", None, ["apple"]),
        ([1, 2, 3], "=", "2", [2]),
        ([1, 2, 3], "≠", "2", [1, 3]),
        ([1, 2, 3], "<", "2", [1]),
        ([1, 2, 3], ">", "2", [3]),
        ([1, 2, 3], "≥", "2", [2, 3]),
        ([1, 2.5, 3], "≤", "2.5", [1, 2.5]),
        ([1, 2], "=", "x", "error"),
        ([1, 2], "contains", "1", "error"),
        (["a"], ">", "1", "error"),
        ([True, False], "is", True, [True]),
        ([True, False], "is", "true", [True]),
        ([True, False], "is not", "true", [False]),
        ([True], "=", "1", "error"),
        ([{"a": 1}], "is", "a", "error"),
        (["apple", "plum"], "is", "{{#start.y#}}", ["plum"]),
    ],
)
def test_filters(items, operator, value, expected):
    assert result(items, {"y": "plum"}, filter_by=by(operator, value)) == expected


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("type", "in", ["image", "audio"], [IMAGE, SOUND]),
        ("type", "not in", ["image"], [DOCUMENT, SOUND]),
        ("transfer_method", "in", ["local_file"], [IMAGE, SOUND]),
        ("name", "contains", ".p", [IMAGE, DOCUMENT]),
        ("extension", "is", "pdf", [DOCUMENT]),
        ("extension", "is", ".pdf", [DOCUMENT]),
        ("mime_type", "start with", "image/", [IMAGE]),
        ("size", ">", "100", [DOCUMENT, SOUND]),
        ("size", "≤", "300", [IMAGE, SOUND]),
        ("related_id", "empty", None, [DOCUMENT, SOUND]),
        ("url", "not contains", "http", FILES),
        ("colour", "is", "red", "error"),
    ],
)
def test_files_are_filtered_by_an_attribute(key, operator, value, expected):
    assert result(FILES, filter_by=by(operator, value, key)) == expected


def test_every_condition_has_to_hold():
    conditions = [{"comparison_operator": ">", "value": "1"}, {"comparison_operator": "<", "value": "4"}]
    assert result([1, 2, 3, 4], filter_by={"enabled": True, "conditions": conditions}) == [2, 3]


def test_the_key_is_ignored_for_what_is_no_file():
    assert result(
        ["a", "b"], filter_by=by("is", "a", "name"), order_by={"enabled": True, "key": "size", "value": "asc"}
    ) == ["a"]


@pytest.mark.parametrize(
    ("serial", "expected"),
    [("1", ["a"]), ("3", ["c"]), (2, ["b"]), ("{{#start.y#}}", ["b"]), ("0", "error"), ("4", "error"), ("x", "error")],
)
def test_one_item_is_extracted_by_its_place(serial, expected):
    assert result(["a", "b", "c"], {"y": 2}, extract_by={"enabled": True, "serial": serial}) == expected


@pytest.mark.parametrize(
    ("items", "order", "expected"),
    [
        (["b", "a", "c"], "asc", ["a", "b", "c"]),
        (["b", "a", "c"], "desc", ["c", "b", "a"]),
        ([2, 10, 1.5], "asc", [1.5, 2, 10]),
        ([2, 10, 1.5], "desc", [10, 2, 1.5]),
        ([True, False], "asc", [False, True]),
        ([{"a": 1}, {"b": 2}], "asc", "error"),
        (["a", 1], "asc", "error"),
    ],
)
def test_order(items, order, expected):
    assert result(items, order_by={"enabled": True, "value": order}) == expected


@pytest.mark.parametrize(
    ("key", "order", "expected"),
    [
        ("size", "asc", [IMAGE, SOUND, DOCUMENT]),
        ("name", "desc", [SOUND, DOCUMENT, IMAGE]),
        ("related_id", "asc", [DOCUMENT, SOUND, IMAGE]),
        ("colour", "asc", "error"),
    ],
)
def test_files_are_ordered_by_an_attribute(key, order, expected):
    assert result(FILES, order_by={"enabled": True, "key": key, "value": order}) == expected


@pytest.mark.parametrize(("size", "expected"), [(2, ["a", "b"]), (0, []), (9, ["a", "b", "c"]), (-1, ["a", "b", "c"])])
def test_limit(size, expected):
    assert result(["a", "b", "c"], limit={"enabled": True, "size": size}) == expected


def test_filter_comes_first_then_order_then_limit():
    data = {
        "filter_by": by(">", "1"),
        "order_by": {"enabled": True, "value": "desc"},
        "limit": {"enabled": True, "size": 2},
    }
    assert result([1, 5, 3, 4], **data) == [5, 4]


def test_an_item_is_extracted_from_the_filtered_list_before_it_is_ordered():
    data = {
        "filter_by": by(">", "1"),
        "extract_by": {"enabled": True, "serial": "2"},
        "order_by": {"enabled": True, "value": "desc"},
    }
    assert result([1, 5, 3, 4], **data) == [3]


def test_what_is_switched_off_does_nothing():
    off = {"enabled": False}
    data = {
        "filter_by": by("is", "a") | off,
        "extract_by": {**off, "serial": "9"},
        "order_by": off,
        "limit": {**off, "size": 1},
    }
    assert result(["b", "a"], **data) == ["b", "a"]


def test_nothing_can_be_extracted_where_nothing_is_left():
    assert result(["a"], filter_by=by("is", "b"), extract_by={"enabled": True, "serial": "1"}) == "error"


def test_an_empty_list_stays_empty():
    assert result([], filter_by=by("is", "b"), extract_by={"enabled": True, "serial": "1"}) == []


@pytest.mark.parametrize("value", [None, "text", {"a": 1}, IMAGE])
def test_anything_but_a_list_is_an_error(value):
    assert result(value) == "error"


def test_a_selector_that_finds_nothing_is_an_error():
    assert run(definition()).end.status == "failed"


@pytest.mark.parametrize(
    ("field", "data"), [("variable", {"variable": None}), ("order_by.value", {"order_by": {"value": "up"}})]
)
def test_a_file_that_cannot_run_is_refused(field, data):
    with pytest.raises(GraphInvalid, match=rf"node 'n' \(list-operator\): {field}"):
        build(graph(start(), node("n", "list-operator", **{"variable": ["start", "x"], **data}), "start > n"))


def test_the_list_is_not_changed():
    items = ["b", "a"]
    result(items, order_by={"enabled": True, "value": "asc"}, limit={"enabled": True, "size": 1})
    assert items == ["b", "a"]
