"""Variables that several nodes change at the same time (contract dsl.md §3.2, §3.6): no change is lost."""

import dataclasses
import sys
from collections.abc import Iterator

import pytest

from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start
from tests.support.workflow.iterations import pick

X = ["conversation", "x"]
ITEM = ["it", "item"]


def change(operation: str, value: object, node_id: str, parent: str | None = None, target: list[str] = X):
    constant = operation == "+="
    item = {
        "variable_selector": target,
        "operation": operation,
        "value": value,
        "input_type": "constant" if constant else "variable",
    }
    return node(node_id, "assigner", parent, version="2", items=[item])


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads take turns after every few instructions."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def rounds(*parts, **data):
    """An iteration over `start.x`, several rounds at once, and an end that tells the conversation's `x`."""
    settings = {"iterator_selector": ["start", "x"], "start_node_id": "is", "is_parallel": True, "parallel_nums": 8}
    container = node("it", "iteration", **settings, output_selector=ITEM)
    return graph(start(), container, node("is", "iteration-start", "it"), *parts, end(x=X), "start > it > end")


def count(record: RunRecord) -> object:
    assert record.end.status == "succeeded", record.end.error
    return record.end.outputs["x"]


def test_parallel_rounds_add_up(eager_threads):
    flow = rounds(change("+=", 1, "add", "it"), "is > add")
    assert count(run(flow, {"x": list(range(100))}, conversation={"x": 0}, types={"x": "number"})) == 100


def test_parallel_branches_append_each_theirs(eager_threads):
    names = [f"n{number}" for number in range(30)]
    nodes = [change("append", ["start", name], name) for name in names]
    paths = [f"start > {name} > end" for name in names]
    inputs = {name: name for name in names}
    record = run(graph(start(), *nodes, end(x=X), *paths), inputs, conversation={"x": []}, types={"x": "array[string]"})
    assert sorted(count(record)) == sorted(names)


def cut(record: RunRecord, *lost: str) -> list:
    """The ends of a run, without those of some nodes: a worker died before they ended."""
    return [past for past in record.journal.ends if past.execution.node_id not in (*lost, "end")]


def written(value: int, past):
    return dataclasses.replace(past, writes=((("conversation", "x"), value),))


def test_a_run_that_goes_on_keeps_the_last_change_whatever_frame_it_stands_in():
    flow = rounds(change("+=", 1, "add", "it"), pick(ITEM), "is > add > pick")
    flow["nodes"].append(change("+=", 10, "beside"))
    flow["edges"] += graph("start > beside > end")["edges"]
    inputs, conversation = {"x": [1, 2]}, {"conversation": {"x": 0}, "types": {"x": "number"}}
    ends = {past.execution.id: past for past in cut(run(flow, inputs, **conversation))}.values()
    begins = [past for past in ends if past.execution.node_id in ("start", "is")]
    second, first = sorted((past for past in ends if past.execution.node_id == "add"), key=lambda p: p.frame)[::-1]
    (beside,) = [past for past in ends if past.execution.node_id == "beside"]
    # They happened in the order: second round, beside the iteration, first round; `pick` and the iteration did not end.
    past = [*begins, written(1, second), written(11, beside), written(12, first)]
    assert count(run(flow, inputs, past=past, **conversation)) == 12


def test_a_round_that_goes_on_adds_to_what_a_later_round_has_written():
    flow = rounds(change("+=", 1, "add", "it"), "is > add")
    inputs, conversation = {"x": [1, 2]}, {"conversation": {"x": 0}, "types": {"x": "number"}}
    ends = cut(run(flow, inputs, **conversation), "it")
    begins = [past for past in ends if past.execution.node_id in ("start", "is")]
    (second,) = [past for past in ends if past.frame == "it[1]/" and past.execution.node_id == "add"]
    assert count(run(flow, inputs, past=[*begins, written(1, second)], **conversation)) == 2


def test_a_variable_of_a_loop_is_kept_over_its_parallel_rounds(eager_threads):
    total = ["loop", "total"]
    loop = node(
        "loop",
        "loop",
        loop_count=2,
        loop_variables=[{"label": "total", "var_type": "number", "value_type": "constant", "value": 0}],
        start_node_id="ls",
    )
    it = node(
        "it",
        "iteration",
        "loop",
        iterator_selector=["start", "x"],
        output_selector=ITEM,
        start_node_id="is",
        is_parallel=True,
        parallel_nums=8,
    )
    flow = graph(
        start(),
        loop,
        node("ls", "loop-start", "loop"),
        it,
        node("is", "iteration-start", "it"),
        change("+=", 1, "add", "it", total),
        end(x=total),
        "start > loop > end",
        "ls > it",
        "is > add",
    )
    assert count(run(flow, {"x": list(range(30))})) == 60
