"""`if-else` (contract dsl.md §3.7): which branch a run takes."""

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from app.workflow.values.files import File
from tests.support.workflow.graphs import end, graph, node, run, start

NULL, MISSING = None, object()


def image(name="a.png", size=10):
    return File("f1", "image", "local_file", name, extension=".png", mime_type="image/png", size=size)


def document(name="b.pdf", size=2000):
    return File("f2", "document", "remote_url", name, extension=".pdf", mime_type="application/pdf", size=size)


def condition(operator, value=None, selector=("start", "x"), **more):
    return {"id": "c", "variable_selector": list(selector), "comparison_operator": operator, "value": value, **more}


def case(case_id, *conditions, logic="and"):
    return {"case_id": case_id, "logical_operator": logic, "conditions": list(conditions)}


def branches(*cases, **data):
    """Return a graph with an end node behind each handle, named like it: `one`, `two`, `true` and `false`."""
    ends = [node(f"to_{name}", "end", outputs=[]) for name in ("one", "two", "true", "false")]
    ways = [f"n:{name} > to_{name}" for name in ("one", "two", "true", "false")]
    choice = node("n", "if-else", **({"cases": list(cases)} if cases else {}), **data)
    return graph(start(), choice, *ends, "start > n", *ways)


def outcome(operator, value, actual, **more):
    """Return the outcome of a condition: True, False or "error"."""
    record = run(branches(case("one", condition(operator, value, **more))), {} if actual is MISSING else {"x": actual})
    if record.end.status == "failed":
        return "error"
    return record.outputs("n")["result"]


@pytest.mark.parametrize(
    ("actual", "operator", "value", "expected"),
    [
        ("hello", "contains", "ell", True),
        ("hello", "contains", "xyz", False),
        ("", "contains", "a", False),
        (NULL, "contains", "a", False),
        (["a", "b"], "contains", "a", True),
        ([1, 2], "contains", "1", False),
        ([1, 2], "contains", 1, True),
        ([True], "contains", 1, False),
        ([True], "contains", True, True),
        ([], "contains", "a", False),
        (5, "contains", "5", "error"),
        ({"a": 1}, "contains", "a", "error"),
        ("hello", "not contains", "xyz", True),
        ("hello", "not contains", "ell", False),
        ("", "not contains", "a", True),
        (["a"], "not contains", "a", False),
        (["a"], "not contains", "b", True),
        ("hello", "start with", "he", True),
        ("hello", "start with", "lo", False),
        ("", "start with", "", False),
        (NULL, "start with", "a", False),
        (5, "start with", "5", "error"),
        ("hello", "end with", "lo", True),
        ("hello", "end with", "he", False),
        ("", "end with", "", False),
        ("yes", "is", "yes", True),
        ("yes", "is", "no", False),
        ("5", "is", 5, True),
        (NULL, "is", "yes", False),
        (NULL, "is not", "yes", False),
        ("yes", "is not", "no", True),
        (5, "is", "5", "error"),
        ({"a": 1}, "is", "a", "error"),
        (["a"], "is", "a", "error"),
        (5, "is not", "4", "error"),
        (True, "is", "true", True),
        (True, "is", "1", True),
        (True, "is", True, True),
        (True, "is", "false", False),
        (False, "is", "0", True),
        (False, "is not", "true", True),
        (True, "is", "True", "error"),
        (True, "is", "yes", "error"),
        ("", "empty", None, True),
        (0, "empty", None, True),
        (False, "empty", None, True),
        (NULL, "empty", None, True),
        ([], "empty", None, True),
        ("a", "empty", None, False),
        ("a", "not empty", None, True),
        (0, "not empty", None, False),
        ("a", "in", ["a", "b"], True),
        ("c", "in", ["a", "b"], False),
        (NULL, "in", ["a"], False),
        ("a", "in", "abc", "error"),
        ("c", "not in", ["a", "b"], True),
        ("a", "not in", ["a", "b"], False),
        ("a", "not in", "abc", "error"),
        (["a", "b", "c"], "all of", ["a", "b"], True),
        (["a"], "all of", ["a", "b"], False),
        ([], "all of", ["a"], False),
        (["a"], "all of", "a", "error"),
        ("a", "all of", ["a"], "error"),
        (5, "=", "5", True),
        (5, "=", 5, True),
        (5, "=", "6", False),
        (5, "=", "5.0", "error"),
        (5, "=", "5.5", "error"),
        (5, "=", "x", "error"),
        (5, "=", True, "error"),
        (5.0, "=", "5.0", True),
        (5.0, "=", "5", True),
        (5.5, "=", "5", False),
        (5, "≠", "6", True),
        (5, "≠", "5", False),
        (5, "≠", "5.0", "error"),
        (-5, "=", "-5", True),
        (5, ">", "4.5", True),
        (5, ">", "5", False),
        (5, "<", "5.5", True),
        (5, "≥", "5", True),
        (5, "≤", "4.9", False),
        (5, ">", "x", "error"),
        (5, ">", "", "error"),
        ("5", "=", "5", "error"),
        ("5", ">", "4", "error"),
        (True, ">", "0", "error"),
        (NULL, "=", "5", False),
        (NULL, "≠", "5", False),
        (NULL, ">", "5", False),
        (NULL, "null", None, True),
        ("", "null", None, False),
        ("", "not null", None, True),
        (NULL, "not null", None, False),
        (image(), "exists", None, True),
        (NULL, "exists", None, False),
        (NULL, "not exists", None, True),
        (image(), "not exists", None, False),
    ],
)
def test_operators(actual, operator, value, expected):
    assert outcome(operator, value, actual) == expected


@pytest.mark.parametrize(
    "operator", ["is", "empty", "not empty", "null", "not null", "exists", "not exists", "=", "in", "contains"]
)
def test_a_selector_that_finds_nothing_is_an_error(operator):
    record = run(branches(case("one", condition(operator, "a"))))
    assert record.end.status == "failed"
    assert "start.x" in record.end.error


@pytest.mark.parametrize(
    ("cases", "way"),
    [
        ([case("one", condition("is", "a")), case("two", condition("not empty"))], "one"),
        ([case("one", condition("is", "b")), case("two", condition("not empty"))], "two"),
        ([case("one", condition("is", "b")), case("two", condition("empty"))], "false"),
    ],
)
def test_the_first_matching_case_wins(cases, way):
    record = run(branches(*cases), {"x": "a"})
    assert record.ran == ["start", "n", f"to_{way}"]
    assert record.outputs("n") == {"result": way != "false", "selected_case_id": way}


def test_no_cases_take_the_else_way():
    record = run(branches(cases=[]), {"x": "a"})
    assert record.ran == ["start", "n", "to_false"]
    assert record.outputs("n") == {"result": False, "selected_case_id": "false"}


@pytest.mark.parametrize(("value", "way", "result"), [("a", "true", True), ("b", "false", False)])
def test_conditions_at_the_top_are_one_case_named_true(value, way, result):
    record = run(branches(logical_operator="and", conditions=[condition("is", value)]), {"x": "a"})
    assert record.ran == ["start", "n", f"to_{way}"]
    assert record.outputs("n")["result"] is result


def test_a_handle_may_be_a_yaml_boolean():
    definition = graph(start(), node("n", "if-else", cases=[case(True, condition("not empty"))]), end(), "start > n")
    definition["edges"].append({"source": "n", "target": "end", "sourceHandle": True})
    assert run(definition, {"x": "a"}).ran == ["start", "n", "end"]


@pytest.mark.parametrize(
    ("logic", "first", "expected"),
    [("and", "is", True), ("and", "is not", False), ("or", "is", True), ("or", "is not", True)],
)
def test_a_group_is_combined_by_its_logical_operator(logic, first, expected):
    record = run(branches(case("one", condition(first, "a"), condition("not empty"), logic=logic)), {"x": "a"})
    assert record.outputs("n")["result"] is expected


@pytest.mark.parametrize(("logic", "first", "expected"), [("and", "is not", False), ("or", "is", True)])
def test_evaluation_stops_as_soon_as_the_outcome_is_known(logic, first, expected):
    unknown = condition("empty", selector=("nobody", "knows"))
    record = run(branches(case("one", condition(first, "a"), unknown, logic=logic)), {"x": "a"})
    assert record.outputs("n")["result"] is expected


def test_cases_behind_the_match_are_not_looked_at():
    record = run(
        branches(case("one", condition("is", "a")), case("two", condition("empty", selector=("nobody", "knows")))),
        {"x": "a"},
    )
    assert record.ran[-1] == "to_one"


@pytest.mark.parametrize(
    ("actual", "operator", "value", "more", "expected"),
    [
        ("hello you", "contains", "{{#start.y#}}", {"y": "you"}, True),
        (7, "=", "{{#start.y#}}", {"y": 7}, True),
        (7, "=", "{{#start.y#}}", {"y": 7.0}, "error"),
        ("a", "in", ["{{#start.y#}}"], {"y": "a"}, True),
        ("a", "is", "{{#start.y#}}", {}, "error"),
    ],
)
def test_a_value_may_hold_templates(actual, operator, value, more, expected):
    record = run(branches(case("one", condition(operator, value))), {"x": actual, **more})
    assert ("error" if record.end.status == "failed" else record.outputs("n")["result"]) == expected


@pytest.mark.parametrize(
    ("key", "value"), [("name", "a.png"), ("type", "image"), ("extension", ".png"), ("mime_type", "image/png")]
)
def test_a_selector_may_name_a_file_s_attribute(key, value):
    assert outcome("is", value, image(), selector=("start", "x", key)) is True


def over(*conditions, logic="and"):
    return {"logical_operator": logic, "conditions": list(conditions)}


def about(key, operator, value):
    return {"key": key, "comparison_operator": operator, "value": value}


@pytest.mark.parametrize(
    ("operator", "files", "expected"),
    [
        ("contains", [image(), document()], True),
        ("contains", [document()], False),
        ("contains", [], False),
        ("not contains", [image(), document()], False),
        ("not contains", [document()], True),
        ("not contains", [], True),
        ("all of", [image(), document()], False),
        ("all of", [image(), image()], True),
    ],
)
def test_files_are_compared_by_their_attributes(operator, files, expected):
    group = over(about("type", "in", ["image", "audio"]))
    assert outcome(operator, None, files, sub_variable_condition=group) is expected


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("name", "start with", "b", True),
        ("size", ">", "1000", True),
        ("size", ">", "5000", False),
        ("extension", "is", "pdf", True),
        ("extension", "is", ".pdf", True),
        ("extension", "in", [".pdf", "txt"], True),
        ("mime_type", "contains", "pdf", True),
        ("transfer_method", "in", ["remote_url"], True),
        ("url", "empty", None, True),
        ("name", "is", "{{#start.y#}}", True),
        ("size", ">", "x", "error"),
    ],
)
def test_every_attribute_can_be_compared(key, operator, value, expected):
    cases = [case("one", condition("contains", sub_variable_condition=over(about(key, operator, value))))]
    record = run(branches(*cases), {"x": [image(), document()], "y": "b.pdf"})
    assert ("error" if record.end.status == "failed" else record.outputs("n")["result"]) == expected


@pytest.mark.parametrize(("logic", "expected"), [("and", False), ("or", True)])
def test_sub_conditions_are_combined_for_one_file(logic, expected):
    group = over(about("type", "in", ["image"]), about("size", ">", "1000"), logic=logic)
    assert outcome("contains", None, [image(), document()], sub_variable_condition=group) is expected


def test_files_without_sub_conditions_are_an_error():
    assert outcome("contains", "a", [image()]) == "error"


def test_what_was_compared_is_kept_for_the_operator():
    ended = run(branches(case("one", condition("is", "b")), case("two", condition("is", "a"))), {"x": "a"}).of("n")
    assert ended.inputs["conditions"][0] == {
        "variable": "start.x",
        "actual_value": "a",
        "comparison_operator": "is",
        "expected_value": "b",
    }
    assert ended.process_data == {
        "condition_results": [{"case_id": "one", "result": False}, {"case_id": "two", "result": True}]
    }


@pytest.mark.parametrize(
    "cases",
    [
        [case("one", condition("resembles", "a"))],
        [{"logical_operator": "and", "conditions": []}],
        [case("one", condition("contains", sub_variable_condition=over(about("colour", "is", "red"))))],
    ],
)
def test_a_file_whose_conditions_cannot_run_is_refused(cases):
    with pytest.raises(GraphInvalid, match=r"node 'n' \(if-else\): cases"):
        build(branches(*cases))
