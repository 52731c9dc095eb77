"""`variable-aggregator` (contract dsl.md §3.7): the variable of the branch that ran."""

import pytest

from tests.support.workflow.graphs import answer, end, graph, node, run, start

Y, Z = ["start", "y"], ["start", "z"]


def aggregate(inputs, **data):
    return run(graph(start(), node("n", "variable-aggregator", **data), "start > n"), inputs)


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ({"y": "a", "z": "b"}, {"output": "a"}),
        ({"z": "b"}, {"output": "b"}),
        ({"y": "", "z": "b"}, {"output": ""}),
        ({"y": None, "z": "b"}, {"output": None}),
        ({"y": [1, 2]}, {"output": [1, 2]}),
        ({}, {}),
    ],
)
def test_it_takes_the_first_that_exists(inputs, outputs):
    record = aggregate(inputs, variables=[Y, Z])
    assert (record.end.status, record.outputs("n")) == ("succeeded", outputs)


def test_keys_of_objects_can_be_taken():
    assert aggregate({"y": {"a": "b"}}, variables=[[*Y, "nothing"], [*Y, "a"]]).outputs("n") == {"output": "b"}


def test_groups_give_an_output_each():
    groups = [
        {"group_name": "texts", "output_type": "string", "variables": [Z, Y]},
        {"group_name": "numbers", "output_type": "number", "variables": [["start", "nothing"], ["start", "one"]]},
        {"group_name": "none", "output_type": "string", "variables": [["start", "nothing"]]},
        {"group_name": "empty", "output_type": "string", "variables": []},
    ]
    record = aggregate({"y": "a", "one": 1}, variables=[Y], advanced_settings={"group_enabled": True, "groups": groups})
    assert record.outputs("n") == {"texts": {"output": "a"}, "numbers": {"output": 1}}


def test_groups_that_are_switched_off_are_not_looked_at():
    advanced = {"group_enabled": False, "groups": [{"group_name": "texts", "variables": [Z]}]}
    assert aggregate({"y": "a", "z": "b"}, variables=[Y], advanced_settings=advanced).outputs("n") == {"output": "a"}


@pytest.mark.parametrize("advanced", [None, {}])
def test_files_of_old_have_no_groups(advanced):
    assert aggregate({"y": "a"}, variables=[Y], advanced_settings=advanced).outputs("n") == {"output": "a"}


@pytest.mark.parametrize(("text", "expected"), [("left", "went left"), ("other", "went right")])
def test_variables_of_skipped_branches_do_not_exist(text, expected):
    condition = {"variable_selector": Y, "comparison_operator": "is", "value": "left"}
    record = run(
        graph(
            start(),
            node("n", "if-else", cases=[{"case_id": "left", "conditions": [condition]}]),
            answer("went left", "l"),
            answer("went right", "r"),
            node("join", "variable-aggregator", variables=[["l", "answer"], ["r", "answer"]]),
            end(x=["join", "output"]),
            "start > n:left > l > join > end",
            "n:false > r > join",
        ),
        {"y": text},
    )
    assert record.outputs("end") == {"x": expected}


def test_a_group_s_output_is_read_by_its_name():
    advanced = {"group_enabled": True, "groups": [{"group_name": "texts", "variables": [Y]}]}
    record = run(
        graph(
            start(),
            node("n", "variable-aggregator", advanced_settings=advanced),
            end(x=["n", "texts", "output"]),
            "start > n > end",
        ),
        {"y": "a"},
    )
    assert record.end.outputs == {"x": "a"}


def test_files_of_0_1_call_it_variable_assigner():
    record = run(graph(start(), node("n", "variable-assigner", variables=[Y]), "start > n"), {"y": "a"})
    assert (record.outputs("n"), record.of("n").execution.kind) == ({"output": "a"}, "variable-assigner")
