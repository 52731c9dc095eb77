"""`assigner` (contract dsl.md §3.7): what it writes, and what it refuses."""

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import answer, end, graph, node, run, start

X = ("conversation", "x")
X_LIST = list(X)
NUMBERS, TEXTS = "array[number]", "array[string]"


def item(operation, value=None, input_type=None, target=X):
    constant = operation in ("set", "+=", "-=", "*=", "/=")
    return {
        "variable_selector": list(target),
        "input_type": input_type or ("constant" if constant else "variable"),
        "operation": operation,
        "value": value,
    }


def assigner(*items, node_id="n", parent=None):
    return node(node_id, "assigner", parent, version="2", items=list(items))


def change(kind, current, *items, source=None):
    """Run a graph that changes the conversation variable `x` of a type and outputs it. `start.y` is the operand."""
    definition = graph(start(), assigner(*items), end(x=list(X)), "start > n > end")
    return run(definition, {"y": source}, conversation={"x": current}, types={"x": kind})


FROM_Y = ["start", "y"]


@pytest.mark.parametrize(
    ("kind", "current", "operation", "operand", "expected"),
    [
        ("string", "a", "over-write", "b", "b"),
        ("number", 1, "over-write", 2.5, 2.5),
        ("boolean", True, "over-write", False, False),
        ("object", {}, "over-write", {"a": 1}, {"a": 1}),
        (NUMBERS, [1], "over-write", [2, 3], [2, 3]),
        (TEXTS, [], "over-write", [], []),
        ("string", "a", "over-write", 1, "error"),
        ("number", 1, "over-write", "2", "error"),
        ("number", 1, "over-write", True, "error"),
        (NUMBERS, [1], "over-write", ["a"], "error"),
        (NUMBERS, [1], "over-write", 2, "error"),
        (NUMBERS, [1], "append", 2, [1, 2]),
        (NUMBERS, [1], "append", "2", "error"),
        (TEXTS, [], "append", "a", ["a"]),
        (TEXTS, [], "append", 1, "error"),
        ("array[object]", [], "append", {"a": 1}, [{"a": 1}]),
        ("array[object]", [], "append", "a", "error"),
        ("array[boolean]", [True], "append", False, [True, False]),
        (TEXTS, None, "append", "a", ["a"]),
        ("string", "a", "append", "b", "error"),
        (NUMBERS, [1], "extend", [2, 3], [1, 2, 3]),
        (NUMBERS, [1], "extend", ["a"], "error"),
        (NUMBERS, [1], "extend", 2, "error"),
        ("number", 1, "extend", [1], "error"),
        ("number", 5, "+=", 2, 7),
        ("number", 5, "-=", 2.5, 2.5),
        ("number", 5, "*=", 2, 10),
        ("number", 5, "/=", 2, 2.5),
        ("number", 4, "/=", 2, 2.0),
        ("number", None, "+=", 2, 2),
        ("number", 5, "/=", 0, "error"),
        ("number", 5, "+=", "2", "error"),
        ("number", 5, "+=", True, "error"),
        ("number", 1e308, "*=", 10, "error"),
        ("number", 10**308, "*=", 10, "error"),
        ("string", "a", "+=", 1, "error"),
        ("string", "a", "set", "b", "b"),
        ("number", 1, "set", 2, 2),
        ("number", 1, "set", "2", "error"),
        ("boolean", False, "set", True, True),
        ("boolean", False, "set", "true", "error"),
        ("string", "a", "set", None, "error"),
        ("object", {}, "set", {"a": 1}, {"a": 1}),
        ("object", {}, "set", '{"a": 1}', {"a": 1}),
        ("object", {}, "set", "[1]", "error"),
        ("object", {}, "set", "{broken", "error"),
        (TEXTS, [], "set", ["a"], "error"),
        ("string", "a", "clear", None, ""),
        ("number", 5, "clear", None, 0),
        ("boolean", True, "clear", None, False),
        ("object", {"a": 1}, "clear", None, {}),
        (TEXTS, ["a"], "clear", None, []),
        (TEXTS, ["a", "b", "c"], "remove-first", None, ["b", "c"]),
        (TEXTS, ["a", "b", "c"], "remove-last", None, ["a", "b"]),
        (TEXTS, [], "remove-first", None, []),
        (TEXTS, [], "remove-last", None, []),
        ("string", "abc", "remove-first", None, "error"),
    ],
)
def test_operations(kind, current, operation, operand, expected):
    from_variable = operation in ("over-write", "append", "extend")
    record = change(kind, current, item(operation, FROM_Y if from_variable else operand), source=operand)
    if expected == "error":
        assert record.end.status == "failed"
        assert "conversation.x" in record.end.error
    else:
        value = record.end.outputs["x"]
        assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "current", "operation", "input_type", "value"),
    [
        ("number", 5, "+=", "variable", FROM_Y),
        ("number", 5, "-=", "variable", FROM_Y),
        ("number", 5, "*=", "variable", FROM_Y),
        ("number", 5, "/=", "variable", FROM_Y),
        ("number", 5, "set", "variable", FROM_Y),
        (NUMBERS, [], "append", "constant", 1),
        (NUMBERS, [], "extend", "constant", [1]),
        (NUMBERS, [], "over-write", "constant", [1]),
        (NUMBERS, [], "clear", "constant", None),
        (NUMBERS, [], "remove-first", "constant", None),
        (NUMBERS, [], "remove-last", "constant", None),
    ],
)
def test_other_pairings_of_operation_and_input_are_errors(kind, current, operation, input_type, value):
    assert change(kind, current, item(operation, value, input_type), source=1).end.status == "failed"


def test_a_constant_may_over_write_what_is_no_array():
    assert change("string", "a", item("over-write", "b", "constant")).end.outputs == {"x": "b"}


@pytest.mark.parametrize("operation", ["over-write", "append", "extend"])
def test_a_source_that_is_null_skips_the_item_alone(operation):
    assert change(NUMBERS, [1, 2], item(operation, FROM_Y), item("remove-first"), source=None).end.outputs == {"x": [2]}


@pytest.mark.parametrize(
    "broken",
    [
        item("over-write", ["start", "nothing"]),
        item("over-write", ["nobody", "y"]),
        item("over-write", "start.y"),
        item("clear", target=("conversation", "nothing")),
        item("clear", target=("nobody", "x")),
        item("clear", target=("conversation",)),
        item("clear", target=("conversation", "x", "key")),
    ],
)
def test_a_missing_source_or_target_is_an_error(broken):
    assert change("string", "a", broken, source="b").end.status == "failed"


@pytest.mark.parametrize("target", [("start", "y"), ("sys", "query"), ("env", "secret")])
def test_nothing_else_can_be_written_to(target):
    definition = graph(start(), assigner(item("set", "b", target=target)), "start > n")
    record = run(definition, {"y": "a"}, environment={"secret": "s"})
    assert (record.end.status, record.end.error) == ("failed", f"Variable {'.'.join(target)} cannot be written to.")


def test_later_items_of_the_same_node_see_the_new_value():
    record = run(
        graph(
            start(),
            assigner(item("+=", 2), item("*=", 3), item("append", list(X), target=("conversation", "all"))),
            "start > n",
        ),
        conversation={"x": 1, "all": []},
        types={"x": "number", "all": NUMBERS},
    )
    assert record.of("n").writes == ((X, 9), (("conversation", "all"), [9]))


def test_later_nodes_see_the_new_value():
    record = run(
        graph(start(), assigner(item("append", FROM_Y)), answer("{{#conversation.x#}}"), "start > n > answer"),
        {"y": "b"},
        conversation={"x": ["a"]},
        types={"x": TEXTS},
    )
    assert record.text == "- a\n- b"


def test_a_source_may_be_a_key_of_an_object_that_was_just_set():
    name = ("conversation", "name")
    record = run(
        graph(start(), assigner(item("set", '{"a": "b"}'), item("over-write", [*X, "a"], target=name)), "start > n"),
        conversation={"x": {}, "name": ""},
        types={"x": "object", "name": "string"},
    )
    assert record.of("n").writes == ((X, {"a": "b"}), (name, "b"))


def test_a_failed_item_leaves_everything_as_it_was():
    failing = assigner(item("+=", 2), item("/=", 0))
    failing["data"]["error_strategy"] = "fail-branch"
    definition = graph(start(), failing, end(x=X_LIST), "start > n:fail-branch > end")
    assert run(definition, conversation={"x": 1}, types={"x": "number"}).end.outputs == {"x": 1}


def test_the_values_that_were_there_are_not_changed():
    before = ["a"]
    change(TEXTS, before, item("append", FROM_Y), item("extend", list(X)), item("remove-first"), source="b")
    assert before == ["a"]


def test_there_are_no_outputs_and_the_operator_sees_what_changed():
    ended = change("number", 1, item("+=", 2)).of("n")
    assert ended.outputs == {}
    assert ended.process_data["updated_variables"] == [
        {"selector": X_LIST, "name": "x", "value_type": "number", "new_value": 3}
    ]


def first_version(mode, kind, current, source):
    data = {"assigned_variable_selector": X_LIST, "write_mode": mode, "input_variable_selector": FROM_Y}
    record = run(
        graph(start(), node("n", "assigner", **data), end(x=X_LIST), "start > n > end"),
        {"y": source},
        conversation={"x": current},
        types={"x": kind},
    )
    return record.end.outputs.get("x", record.end.status)


@pytest.mark.parametrize(
    ("mode", "kind", "current", "source", "expected"),
    [
        ("over-write", "string", "a", "b", "b"),
        ("over-write", "string", "a", 5, 5),
        ("over-write", "number", 1, "text", "text"),
        ("over-write", "string", "a", None, "a"),
        ("append", TEXTS, ["a"], "b", ["a", "b"]),
        ("append", TEXTS, ["a"], 1, "failed"),
        ("append", "string", "a", "b", "failed"),
        ("clear", "string", "a", "b", ""),
        ("clear", "number", 5, "b", 0),
        ("clear", TEXTS, ["a"], "b", []),
        ("clear", "object", {"a": 1}, "b", {}),
    ],
)
def test_version_1(mode, kind, current, source, expected):
    assert first_version(mode, kind, current, source) == expected


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"version": "2"}, "items"),
        ({"version": "2", "items": [{"operation": "clear"}]}, "items.0.variable_selector"),
        ({"version": "2", "items": [{"variable_selector": X_LIST, "operation": "halve"}]}, "items.0.operation"),
        ({"write_mode": "clear"}, "assigned_variable_selector"),
        ({"assigned_variable_selector": X_LIST}, "write_mode"),
        ({"assigned_variable_selector": X_LIST, "write_mode": "append"}, "input_variable_selector"),
    ],
)
def test_a_file_that_leaves_out_what_a_run_needs_is_refused(data, named):
    with pytest.raises(GraphInvalid, match=rf"node 'n' \(assigner\).*{named}"):
        build(graph(start(), node("n", "assigner", **data)))


def test_an_interrupted_run_goes_on_with_what_was_written():
    definition = graph(start(), assigner(item("+=", 2)), answer("{{#conversation.x#}}"), "start > n > answer")
    first = run(definition, conversation={"x": 1}, types={"x": "number"})
    again = run(definition, conversation={"x": 1}, types={"x": "number"}, past=first.journal.ends[:2])
    assert (again.text, again.journal.starts) == ("3", ["answer"])
