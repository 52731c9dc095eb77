"""The variables of a `loop` (contract dsl.md §3.7), and writes inside it."""

import pytest

from tests.support.workflow.graphs import answer, graph, node, run
from tests.support.workflow.loops import COUNT, assigner, at_least, counting, loop, variable


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", "7", 7),
        ("number", "7.5", 7.5),
        ("number", 7, 7),
        ("number", "", 0),
        ("number", None, 0),
        ("string", "7", "7"),
        ("string", "", ""),
        ("boolean", "true", True),
        ("boolean", False, False),
        ("object", '{"a": "b"}', {"a": "b"}),
        ("object", {"a": "b"}, {"a": "b"}),
        ("array[string]", '["a", "b"]', ["a", "b"]),
        ("array[number]", [1, 2], [1, 2]),
        ("array[object]", "", []),
    ],
)
def test_loop_variables_begin_with_constants(kind, value, expected):
    record = run(loop("ls > say", answer("", "say", "loop"), rounds=1, loop_variables=[variable("count", kind, value)]))
    assert record.outputs("loop") == {"count": expected, "loop_round": 1}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("number", "seven"),
        ("number", "true"),
        ("number", "NaN"),
        ("object", "[1]"),
        ("array[number]", '["a"]'),
        ("boolean", "1"),
    ],
)
def test_a_constant_of_another_type_is_an_error(kind, value):
    record = run(loop(loop_variables=[variable("count", kind, value)]))
    assert record.end.status == "failed"
    assert "'count'" in record.end.error


def test_loop_variables_begin_with_other_variables():
    record = run(loop(loop_variables=[variable("count", value=["start", "x"], value_type="variable")]), {"x": 10})
    assert record.end.outputs["count"] == 13


def test_a_missing_variable_to_begin_with_is_an_error():
    record = run(loop(loop_variables=[variable("count", value=["start", "x"], value_type="variable")]))
    assert (record.end.status, record.end.error) == ("failed", "Variable start.x not found.")


def test_loop_variables_are_kept_between_rounds():
    record = run(loop(counting(), answer("{{#loop.count#}} ", "say", "loop"), "ls > add > say"))
    assert record.text == "1 2 3 "


def test_children_s_outputs_are_not_kept_between_rounds():
    check = node("check", "if-else", "loop", cases=[{"case_id": "first", "conditions": [at_least("0", operator="=")]}])
    either = node("either", "variable-aggregator", "loop", variables=[["say", "answer"]])
    record = run(
        loop(
            check,
            answer("hello", "say", "loop"),
            counting(),
            either,
            "ls > check:first > say > add > either",
            "check:false > either",
            rounds=2,
        )
    )
    assert [dict(ended.outputs) for ended in record.journal.ends if ended.execution.node_id == "either"] == [
        {"output": "hello"},
        {},
    ]


def test_loop_variables_cannot_be_written_to_from_outside():
    record = run(
        graph(*loop()["nodes"], assigner("late", (COUNT, "set", 1), parent=None), "start > loop > late", "ls > add")
    )
    assert (record.end.status, record.end.error) == ("failed", "Variable loop.count cannot be written to.")


def test_conversation_variables_written_inside_are_seen_inside_and_behind():
    total = ("conversation", "total")
    record = run(
        loop(
            assigner("add", (total, "+=", 2)),
            answer("{{#conversation.total#}} ", "say", "loop"),
            "ls > add > say",
            answer("= {{#conversation.total#}}", "last"),
            "loop > last",
        ),
        conversation={"total": 1},
        types={"total": "number"},
    )
    assert record.text == "3 5 7 = 7"
