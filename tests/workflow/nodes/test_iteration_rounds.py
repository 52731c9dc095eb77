"""`iteration` (contract dsl.md §3.7): failing rounds, parallel rounds, stops."""

import threading

import pytest

from app.providers.cancellation import Cancellation
from app.workflow.contracts import events
from tests.support.workflow.graphs import end, events_of, node, run
from tests.support.workflow.iterations import FAILING, iteration


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize(
    ("mode", "status", "outputs", "exceptions"),
    [
        ("continue-on-error", "partial-succeeded", {"all": [1, None, 3, None]}, 2),
        ("remove-abnormal-output", "partial-succeeded", {"all": [1, 3]}, 2),
    ],
)
def test_errors_that_are_swallowed(mode, status, outputs, exceptions, parallel):
    record = run(iteration(*FAILING, error_handle_mode=mode, is_parallel=parallel), {"x": [1, "b", 3, "d"]})
    assert (record.end.status, record.end.outputs, record.end.exceptions) == (status, outputs, exceptions)


@pytest.mark.parametrize("data", [{}, {"error_handle_mode": "terminated"}])
def test_terminated_fails_the_node_and_begins_no_further_round(data):
    record = run(iteration(*FAILING, **data), {"x": [1, "b", 3, 4]})
    assert (record.end.status, record.of("it").status) == ("failed", "failed")
    assert [event.index for event in events_of(record, events.RoundStarted)] == [0, 1]
    ended = events_of(record, events.RoundsEnded)[0]
    assert (ended.error, ended.steps) == (record.end.error, 2)


def test_terminated_begins_no_further_round_side_by_side_either():
    record = run(iteration(*FAILING, is_parallel=True, parallel_nums=2), {"x": ["a"] * 40})
    assert record.end.status == "failed"
    assert len(events_of(record, events.RoundStarted)) <= 2


def test_a_failed_round_stops_those_that_run_beside_it(kind):
    both = threading.Barrier(2)
    stopped = []

    def wait_or_fail(context):
        both.wait(10)
        if context.variables.get(("it", "item")) == "fail":
            context.variables.require(("no", "body"))
        try:
            context.cancellation.wait(10)
        finally:
            stopped.append(context.cancellation.is_cancelled)

    kind("waiting", wait_or_fail)
    record = run(
        iteration(node("w", "waiting", "it"), "is > w", is_parallel=True, parallel_nums=2), {"x": ["fail", "wait"]}
    )
    assert (record.end.status, record.end.error, stopped) == ("failed", "Variable no.body not found.", [True])


def test_the_fail_branch_of_a_failed_iteration_is_taken():
    definition = iteration(*FAILING, error_strategy="fail-branch")
    definition["nodes"] = [entry for entry in definition["nodes"] if entry["id"] != "end"]
    definition["nodes"].append(end(error=["it", "error_message"]))
    definition["edges"] = [edge for edge in definition["edges"] if edge["target"] != "end"]
    definition["edges"].append({"source": "it", "target": "end", "sourceHandle": "fail-branch"})
    record = run(definition, {"x": ["b"]})
    assert record.end.status == "partial-succeeded"
    assert "it.item" in record.end.outputs["error"]


@pytest.mark.parametrize(("nums", "open_rounds"), [(1, 1), (3, 3), (10, 6)])
def test_at_most_so_many_rounds_are_open(kind, nums, open_rounds):
    lock, now, most = threading.Lock(), [0], [0]
    full = threading.Event()

    def count(context):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == open_rounds:
                full.set()
        assert full.wait(10)
        with lock:
            now[0] -= 1

    kind("counting", count)
    record = run(
        iteration(node("c", "counting", "it"), "is > c", output=("c", "x"), is_parallel=True, parallel_nums=nums),
        {"x": list(range(6))},
    )
    assert (record.end.status, most[0]) == ("succeeded", open_rounds)


def test_a_round_is_announced_when_it_begins(kind):
    kind("nothing", lambda context: {})
    record = run(
        iteration(node("c", "nothing", "it"), "is > c", output=("c", "x"), is_parallel=True, parallel_nums=1),
        {"x": [1, 2]},
    )
    names = [name for name in record.named() if name in ("RoundStarted it", "NodeSucceeded c")]
    assert names == ["RoundStarted it", "NodeSucceeded c"] * 2


def test_rounds_go_on_without_free_threads():
    record = run(iteration(is_parallel=True), {"x": list(range(9))}, spawn=lambda job: None)
    assert record.end.outputs == {"all": list(range(9))}


def test_a_stop_ends_all_rounds(kind):
    cancellation, running = Cancellation(), threading.Barrier(3)

    def wait(context):
        if running.wait(10) == 0:
            cancellation.cancel()
        context.cancellation.wait(10)

    kind("waiting", wait)
    record = run(
        iteration(
            node("w", "waiting", "it"),
            "is > w",
            is_parallel=True,
            parallel_nums=3,
            error_handle_mode="continue-on-error",
        ),
        {"x": list(range(9))},
        cancellation=cancellation,
    )
    assert record.end.status == "stopped"
    assert len(events_of(record, events.RoundStarted)) == 3


def test_time_that_is_up_is_not_swallowed(kind):
    kind("waiting", lambda context: context.cancellation.wait(context.seconds_left(10)))
    record = run(
        iteration(node("w", "waiting", "it"), "is > w", error_handle_mode="continue-on-error"),
        {"x": [1, 2, 3]},
        seconds=0.05,
    )
    assert (record.end.status, "longer than" in record.end.error) == ("failed", True)
