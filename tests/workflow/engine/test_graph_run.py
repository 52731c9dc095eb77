"""The rules by which a graph runs (contract dsl.md §3.6)."""

import threading

import pytest

from app.providers.cancellation import Cancellation
from app.workflow.contracts import events
from tests.support.workflow.graphs import answer, end, graph, node, run, start
from tests.support.workflow.world import World, asks, failing

WHICH = node(
    "if",
    "if-else",
    cases=[
        {
            "case_id": "yes",
            "logical_operator": "and",
            "conditions": [{"variable_selector": ["start", "go"], "comparison_operator": "is", "value": "yes"}],
        },
    ],
)


def choice(**data):
    return WHICH | {"data": WHICH["data"] | data}


def test_a_run_tells_what_happens_in_order():
    told = run(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"), {"text": "hello"})
    assert told.named() == [
        "NodeStarted start",
        "NodeSucceeded start",
        "TextStreamed hello",
        "NodeStarted end",
        "NodeSucceeded end",
    ]
    assert (told.end.status, told.end.outputs) == ("succeeded", {"result": "hello"})


def test_the_answers_text_is_the_run_s_answer():
    told = run(graph(start(), answer("You said: {{#sys.query#}}"), "start > answer"), system={"query": "Hi"})
    assert (told.text, told.end.outputs) == ("You said: Hi", {"answer": "You said: Hi", "files": []})


def test_all_edges_of_a_node_are_taken():
    world = World()
    told = run(
        graph(
            start(), asks("a"), asks("b"), end(a=["a", "body"], b=["b", "body"]), "start > a > end", "start > b > end"
        ),
        services=world.services,
    )
    assert told.end.outputs == {"a": "a", "b": "b"}


def test_branches_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    def meet(name, time):
        both.wait()
        return name

    told = run(
        graph(start(), asks("a"), asks("b"), end(), "start > a > end", "start > b > end"), services=World(meet).services
    )
    assert told.end.status == "succeeded"


@pytest.mark.parametrize(("go", "ran"), [("yes", "a"), ("no", "b")])
def test_a_branching_node_takes_one_way(go, ran):
    world = World()
    flow = graph(
        start(go="text-input"),
        choice(),
        asks("a"),
        asks("b"),
        end(a=["a", "body"], b=["b", "body"]),
        "start > if",
        "if:yes > a > end",
        "if:false > b > end",
    )
    told = run(flow, {"go": go}, services=world.services)
    assert list(world.calls) == [ran]
    assert told.end.outputs == {"a": None, "b": None} | {ran: ran}


def test_skips_go_on_behind_a_way_not_taken():
    world = World()
    flow = graph(
        start(go="text-input"),
        choice(),
        asks("a"),
        asks("b"),
        asks("c"),
        end(),
        "start > if",
        "if:yes > a > b > c > end",
        "if:false > end",
    )
    told = run(flow, {"go": "no"}, services=world.services)
    assert (world.calls, told.ran) == ({}, ["start", "if", "end"])


def test_a_join_waits_for_all_live_ways():
    world = World()
    flow = graph(
        start(),
        asks("a"),
        asks("b"),
        asks("c"),
        asks("join"),
        end(),
        "start > a > b > join",
        "start > c > join",
        "join > end",
    )
    run(flow, services=world.services)
    assert world.order[-1] == "join" and world.calls["join"] == 1


def test_an_edge_from_a_node_that_nothing_leads_to_counts_as_skipped():
    world = World()
    told = run(graph(start(), asks("lonely"), end(), "start > end", "lonely > end"), services=world.services)
    assert (told.end.status, told.ran, world.calls) == ("succeeded", ["start", "end"], {})


def test_a_node_without_edges_just_ends_its_branch():
    told = run(graph(start(), asks("a"), "start > a"), services=World().services)
    assert (told.end.status, told.end.outputs) == ("succeeded", {})


def test_a_failing_node_fails_the_run():
    told = run(graph(start(), asks("a"), end(), "start > a > end"), services=World(failing("a")).services)
    assert (told.end.status, told.end.error, told.ran) == ("failed", "a failed", ["start", "a"])


def test_a_failure_stops_the_other_branches():
    stopped = threading.Event()

    class Patient(World):
        def send(self, request, most_bytes, seconds, cancellation):
            if request.url.endswith("slow"):
                cancellation.add(stopped.set)
                assert cancellation.is_cancelled or stopped.wait(10)
                cancellation.raise_if_cancelled()
            return super().send(request, most_bytes, seconds, cancellation)

    told = run(
        graph(start(), asks("slow"), asks("a"), end(), "start > slow > end", "start > a > end"),
        services=Patient(failing("a")).services,
    )
    assert (told.end.status, told.end.error) == ("failed", "a failed")


def test_retries_are_told_and_counted():
    retry = {"retry_enabled": True, "max_retries": 3, "retry_interval": 1}
    world = World(failing("a", times=2))
    told = run(
        graph(start(), asks("a", retry_config=retry), end(a=["a", "body"]), "start > a > end"), services=world.services
    )
    assert (told.end.status, told.end.exceptions, told.end.outputs) == ("partial-succeeded", 2, {"a": "a"})
    assert [event.attempt for event in told.events if isinstance(event, events.NodeRetried)] == [1, 2]


def test_a_fail_branch_is_taken():
    flow = graph(
        start(),
        asks("a", error_strategy="fail-branch"),
        asks("good"),
        end(why=["a", "error_message"], kind=["a", "error_type"]),
        "start > a",
        "a:success-branch > good",
        "a:fail-branch > end",
    )
    told = run(flow, services=World(failing("a")).services)
    assert (told.end.status, told.end.outputs, told.end.exceptions) == (
        "partial-succeeded",
        {"why": "a failed", "kind": "WorldError"},
        1,
    )
    assert told.of("a").status == "exception"


def test_the_success_branch_is_taken_otherwise():
    flow = graph(
        start(),
        asks("a", error_strategy="fail-branch"),
        asks("bad"),
        end(a=["a", "body"]),
        "start > a",
        "a:success-branch > end",
        "a:fail-branch > bad > end",
    )
    told = run(flow, services=World().services)
    assert (told.end.status, told.end.outputs, told.ran) == ("succeeded", {"a": "a"}, ["start", "a", "end"])


def test_default_values_take_the_place_of_outputs():
    defaults = [
        {"key": "body", "type": "string", "value": "spare"},
        {"key": "status_code", "type": "number", "value": "7"},
    ]
    flow = graph(
        start(),
        asks("a", error_strategy="default-value", default_value=defaults),
        end(a=["a", "body"], n=["a", "status_code"]),
        "start > a > end",
    )
    told = run(flow, services=World(failing("a")).services)
    assert (told.end.status, told.end.outputs) == ("partial-succeeded", {"a": "spare", "n": 7})


def test_too_many_steps_fail_the_run():
    told = run(
        graph(start(), asks("a"), asks("b"), end(), "start > a > b > end"), services=World().services, most_steps=2
    )
    assert (told.end.status, told.end.error) == ("failed", "Maximum execution steps exceeded: 2")


def test_too_much_time_fails_the_run():
    told = run(graph(start(), end(), "start > end"), seconds=-1)
    assert told.end.status == "failed" and "longer than" in told.end.error


def test_a_stop_ends_the_run():
    cancellation = Cancellation()

    def stop(name, time):
        cancellation.cancel()
        return name

    told = run(
        graph(start(), asks("a"), asks("b"), end(), "start > a > b > end"),
        services=World(stop).services,
        cancellation=cancellation,
    )
    assert (told.end.status, "b" in told.ran) == ("stopped", False)


def test_the_end_that_ran_later_wins():
    flow = graph(
        start(),
        asks("a"),
        end(x=["start", "gone"]),
        {**end(x=["a", "body"]), "id": "end2"},
        "start > end",
        "start > a > end2",
    )
    told = run(flow, services=World().services)
    assert told.end.outputs == {"x": "a"}


def test_nested_parallel_iterations_need_no_free_thread():
    inner = node(
        "inner",
        "iteration",
        "outer",
        iterator_selector=["outer", "item"],
        output_selector=["ask", "body"],
        is_parallel=True,
        start_node_id="ask",
    )
    outer = node(
        "outer",
        "iteration",
        iterator_selector=["start", "lists"],
        output_selector=["inner", "output"],
        is_parallel=True,
        start_node_id="inner",
    )
    flow = graph(
        start(),
        outer,
        inner,
        asks("ask", "inner", about="{{#inner.item#}}"),
        end(all=["outer", "output"]),
        "start > outer > end",
    )
    for spawn in (lambda job: None, None):
        told = run(
            flow, {"lists": [["a", "b"], ["c", "d"]]}, services=World().services, **({"spawn": spawn} if spawn else {})
        )
        assert told.end.outputs == {"all": ["a", "b", "c", "d"]}


def test_an_unexpected_fault_is_not_hidden():
    class Broken(World):
        def send(self, request, most_bytes, seconds, cancellation):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(graph(start(), asks("a"), asks("b"), "start > a", "start > b"), services=Broken().services)
