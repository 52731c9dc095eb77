"""The rules by which a graph runs (contract dsl.md §3.6)."""

import threading

import pytest

from app.providers.cancellation import Cancellation
from app.workflow.contracts import events
from tests.support.workflow.fake_http import FakeHttp, failing, http
from tests.support.workflow.graphs import answer, end, graph, node, run, start

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
    record = run(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"), {"text": "hello"})
    assert record.named() == [
        "NodeStarted start",
        "TextStreamed hello",
        "NodeSucceeded start",
        "NodeStarted end",
        "NodeSucceeded end",
    ]
    assert (record.end.status, record.end.outputs) == ("succeeded", {"result": "hello"})


def test_the_answers_text_is_the_run_s_answer():
    record = run(graph(start(), answer("You said: {{#sys.query#}}"), "start > answer"), system={"query": "Hi"})
    assert (record.text, record.end.outputs) == ("You said: Hi", {"answer": "You said: Hi", "files": []})


def test_the_outputs_of_an_end_node_stay_beside_an_answer():
    record = run(graph(start(), answer("hello"), end(x=["answer", "answer"]), "start > answer > end"))
    assert record.end.outputs == {"answer": "hello", "files": [], "x": "hello"}


def test_all_edges_of_a_node_are_taken():
    fake = FakeHttp()
    record = run(
        graph(
            start(), http("a"), http("b"), end(a=["a", "body"], b=["b", "body"]), "start > a > end", "start > b > end"
        ),
        services=fake.services,
    )
    assert record.end.outputs == {"a": "a", "b": "b"}


def test_branches_run_at_the_same_time():
    both = threading.Barrier(2, timeout=10)

    def meet(name, time):
        both.wait()
        return name

    record = run(
        graph(start(), http("a"), http("b"), end(), "start > a > end", "start > b > end"),
        services=FakeHttp(meet).services,
    )
    assert record.end.status == "succeeded"


def test_branches_that_open_later_run_at_the_same_time_beside_a_slow_node():
    both, done = threading.Barrier(2, timeout=10), threading.Event()

    def meet(name, time):
        if name == "slow":
            assert done.wait(10)
        elif name != "a":
            both.wait()
            done.set()
        return name

    record = run(
        graph(start(), *map(http, ("slow", "a", "b", "c")), "start > slow", "start > a > b", "a > c"),
        services=FakeHttp(meet).services,
    )
    assert record.end.status == "succeeded"


@pytest.mark.parametrize(("go", "ran"), [("yes", "a"), ("no", "b")])
def test_a_branching_node_takes_one_way(go, ran):
    fake = FakeHttp()
    flow = graph(
        start(go="text-input"),
        choice(),
        http("a"),
        http("b"),
        end(a=["a", "body"], b=["b", "body"]),
        "start > if",
        "if:yes > a > end",
        "if:false > b > end",
    )
    record = run(flow, {"go": go}, services=fake.services)
    assert list(fake.calls) == [ran]
    assert record.end.outputs == {"a": None, "b": None} | {ran: ran}


def test_skips_go_on_behind_a_way_not_taken():
    fake = FakeHttp()
    flow = graph(
        start(go="text-input"),
        choice(),
        http("a"),
        http("b"),
        http("c"),
        end(),
        "start > if",
        "if:yes > a > b > c > end",
        "if:false > end",
    )
    record = run(flow, {"go": "no"}, services=fake.services)
    assert (fake.calls, record.ran) == ({}, ["start", "if", "end"])


def test_a_join_waits_for_all_live_ways():
    fake = FakeHttp()
    flow = graph(
        start(),
        http("a"),
        http("b"),
        http("c"),
        http("join"),
        end(),
        "start > a > b > join",
        "start > c > join",
        "join > end",
    )
    run(flow, services=fake.services)
    assert fake.order[-1] == "join" and fake.calls["join"] == 1


def test_an_edge_from_a_node_that_nothing_leads_to_counts_as_skipped():
    fake = FakeHttp()
    record = run(graph(start(), http("lonely"), end(), "start > end", "lonely > end"), services=fake.services)
    assert (record.end.status, record.ran, fake.calls) == ("succeeded", ["start", "end"], {})


def test_a_node_without_edges_just_ends_its_branch():
    record = run(graph(start(), http("a"), "start > a"), services=FakeHttp().services)
    assert (record.end.status, record.end.outputs) == ("succeeded", {})


def test_a_failing_node_fails_the_run():
    record = run(graph(start(), http("a"), end(), "start > a > end"), services=FakeHttp(failing("a")).services)
    assert (record.end.status, record.end.error, record.ran) == ("failed", "a failed", ["start", "a"])


def test_a_failure_stops_the_other_branches():
    stopped = threading.Event()

    class Patient(FakeHttp):
        def send(self, request, most_bytes, seconds, cancellation):
            if request.url.endswith("slow"):
                cancellation.add(stopped.set)
                assert cancellation.is_cancelled or stopped.wait(10)
                cancellation.raise_if_cancelled()
            return super().send(request, most_bytes, seconds, cancellation)

    record = run(
        graph(start(), http("slow"), http("a"), end(), "start > slow > end", "start > a > end"),
        services=Patient(failing("a")).services,
    )
    assert (record.end.status, record.end.error) == ("failed", "a failed")


def test_retries_are_told_and_counted():
    retry = {"retry_enabled": True, "max_retries": 3, "retry_interval": 1}
    fake = FakeHttp(failing("a", times=2))
    record = run(
        graph(start(), http("a", retry_config=retry), end(a=["a", "body"]), "start > a > end"), services=fake.services
    )
    assert (record.end.status, record.end.exceptions, record.end.outputs) == ("partial-succeeded", 2, {"a": "a"})
    assert [event.attempt for event in record.events if isinstance(event, events.NodeRetried)] == [1, 2]


def test_a_fail_branch_is_taken():
    flow = graph(
        start(),
        http("a", error_strategy="fail-branch"),
        http("good"),
        end(why=["a", "error_message"], kind=["a", "error_type"]),
        "start > a",
        "a:success-branch > good",
        "a:fail-branch > end",
    )
    record = run(flow, services=FakeHttp(failing("a")).services)
    assert (record.end.status, record.end.outputs, record.end.exceptions) == (
        "partial-succeeded",
        {"why": "a failed", "kind": "FakeError"},
        1,
    )
    assert record.of("a").status == "exception"


def test_the_success_branch_is_taken_otherwise():
    flow = graph(
        start(),
        http("a", error_strategy="fail-branch"),
        http("bad"),
        end(a=["a", "body"]),
        "start > a",
        "a:success-branch > end",
        "a:fail-branch > bad > end",
    )
    record = run(flow, services=FakeHttp().services)
    assert (record.end.status, record.end.outputs, record.ran) == ("succeeded", {"a": "a"}, ["start", "a", "end"])


def test_default_values_take_the_place_of_outputs():
    defaults = [
        {"key": "body", "type": "string", "value": "spare"},
        {"key": "status_code", "type": "number", "value": "7"},
    ]
    flow = graph(
        start(),
        http("a", error_strategy="default-value", default_value=defaults),
        end(a=["a", "body"], n=["a", "status_code"]),
        "start > a > end",
    )
    record = run(flow, services=FakeHttp(failing("a")).services)
    assert (record.end.status, record.end.outputs) == ("partial-succeeded", {"a": "spare", "n": 7})


def test_too_many_steps_fail_the_run():
    record = run(
        graph(start(), http("a"), http("b"), end(), "start > a > b > end"), services=FakeHttp().services, most_steps=2
    )
    assert (record.end.status, record.end.error) == ("failed", "Maximum execution steps exceeded: 2")


def test_too_much_time_fails_the_run():
    record = run(graph(start(), end(), "start > end"), seconds=-1)
    assert record.end.status == "failed" and "longer than" in record.end.error


def test_a_stop_ends_the_run():
    cancellation = Cancellation()

    def stop(name, time):
        cancellation.cancel()
        return name

    record = run(
        graph(start(), http("a"), http("b"), end(), "start > a > b > end"),
        services=FakeHttp(stop).services,
        cancellation=cancellation,
    )
    assert (record.end.status, "b" in record.ran) == ("stopped", False)


def test_the_end_that_ran_later_wins():
    flow = graph(
        start(),
        http("a"),
        end(x=["start", "gone"]),
        {**end(x=["a", "body"]), "id": "end2"},
        "start > end",
        "start > a > end2",
    )
    record = run(flow, services=FakeHttp().services)
    assert record.end.outputs == {"x": "a"}


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
        http("ask", "inner", about="{{#inner.item#}}"),
        end(all=["outer", "output"]),
        "start > outer > end",
    )
    for spawn in (lambda job: None, None):
        record = run(
            flow,
            {"lists": [["a", "b"], ["c", "d"]]},
            services=FakeHttp().services,
            **({"spawn": spawn} if spawn else {}),
        )
        assert record.end.outputs == {"all": ["a", "b", "c", "d"]}


def test_an_unexpected_fault_is_not_hidden():
    class Broken(FakeHttp):
        def send(self, request, most_bytes, seconds, cancellation):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(graph(start(), http("a"), http("b"), "start > a", "start > b"), services=Broken().services)
