"""`loop` (contract dsl.md §3.7): rounds, break conditions, variables of its own, events."""

import pytest

from app.workflow.contracts import events
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import answer, events_of, node, run
from tests.support.workflow.loops import COUNT, assigner, at_least, counting, loop, variable


def test_the_children_run_so_many_times():
    record = run(loop())
    assert record.ran == ["start", *["ls", "add"] * 3, "loop", "end"]
    assert record.end.outputs == {"count": 3, "rounds": 3}


@pytest.mark.parametrize(("needed", "rounds"), [("1", 1), ("2", 2), ("3", 3), ("9", 5)])
def test_break_conditions_end_it_behind_a_round(needed, rounds):
    assert run(loop(rounds=5, break_conditions=[at_least(needed)])).end.outputs == {"count": rounds, "rounds": rounds}


def test_break_conditions_are_checked_before_the_first_round():
    record = run(loop(loop_variables=[variable("count", value=7)], break_conditions=[at_least("7")]))
    assert record.ran == ["start", "loop", "end"]
    assert record.outputs("loop") == {"count": 7}
    assert events_of(record, events.RoundsEnded)[0].steps == 0


def test_errors_are_no_matter_before_the_first_round():
    record = run(
        loop(answer("", "say", "loop"), "ls > say", break_conditions=[at_least(None, ("say", "answer"), "empty")])
    )
    assert (record.end.status, record.outputs("loop")["loop_round"]) == ("succeeded", 1)


def test_children_s_outputs_can_break_it():
    record = run(
        loop(
            answer("go {{#loop.count#}}", "say", "loop"),
            counting(),
            "ls > add > say",
            break_conditions=[at_least("go 2", ("say", "answer"), "is")],
        )
    )
    assert record.outputs("loop")["loop_round"] == 2


@pytest.mark.parametrize(("logic", "rounds"), [("and", 4), ("or", 2)])
def test_break_conditions_are_combined(logic, rounds):
    record = run(loop(rounds=9, break_conditions=[at_least("2"), at_least("4")], logical_operator=logic))
    assert record.end.outputs["rounds"] == rounds


def test_a_loop_end_ends_it_at_once():
    check = node("check", "if-else", "loop", cases=[{"case_id": "enough", "conditions": [at_least("2")]}])
    record = run(
        loop(
            counting(),
            check,
            node("stop", "loop-end", "loop"),
            answer("again", "more", "loop"),
            "ls > add > check:enough > stop",
            "check:false > more",
            rounds=9,
        )
    )
    assert record.outputs("loop") == {"count": 2, "loop_round": 2}
    assert record.ran.count("more") == 1


def test_a_loop_end_leaves_the_break_conditions_aside():
    record = run(
        loop(node("stop", "loop-end", "loop"), "ls > stop", break_conditions=[at_least(None, ("no", "body"), "empty")])
    )
    assert (record.end.status, record.end.outputs) == ("succeeded", {"count": 0, "rounds": 1})


def test_helpers_are_told_of_as_the_engine_does():
    record = run(loop(node("stop", "loop-end", "loop"), "ls > stop"))
    named = record.named()
    assert "NodeStarted stop" in named and "NodeSucceeded stop" in named
    assert not any(name.endswith((" ls", "Started loop-start")) for name in named)


def test_events_of_the_rounds():
    record = run(loop())
    started, ended = events_of(record, events.RoundsStarted)[0], events_of(record, events.RoundsEnded)[0]
    assert (started.length, started.execution.node_id) == (3, "loop")
    assert [(event.index, event.previous) for event in events_of(record, events.RoundStarted)] == [
        (1, {"count": 1, "loop_round": 1}),
        (2, {"count": 2, "loop_round": 2}),
    ]
    assert (ended.error, ended.steps, ended.result.outputs) == (None, 3, {"count": 3, "loop_round": 3})
    assert [event.execution.loop_id for event in events_of(record, events.NodeStarted)] == [
        None,
        "loop",
        "loop",
        "loop",
        None,
    ]
    assert not [name for name in record.named() if name in ("NodeStarted loop", "NodeSucceeded loop")]


def test_the_events_stand_in_order():
    names = [name for name in run(loop(rounds=2)).named() if name.endswith((" loop", " add"))]
    assert names == [
        "RoundsStarted loop",
        "NodeStarted add",
        "NodeSucceeded add",
        "RoundStarted loop",
        "NodeStarted add",
        "NodeSucceeded add",
        "RoundsEnded loop",
    ]


def test_every_round_s_nodes_have_ids_of_their_own():
    ids = [event.execution.id for event in events_of(run(loop()), events.NodeStarted)]
    assert len(set(ids)) == len(ids)


def test_an_error_inside_fails_the_loop():
    record = run(loop(counting("x"), "ls > add"))
    assert record.end.status == "failed"
    ended = events_of(record, events.RoundsEnded)[0]
    assert (ended.error, ended.steps) == (record.end.error, 1)
    assert record.of("loop").status == "failed"


def test_an_error_strategy_inside_lets_the_loop_go_on():
    adding = counting("x")
    adding["data"]["error_strategy"] = "default-value"
    record = run(loop(adding, "ls > add"))
    assert (record.end.status, record.end.exceptions) == ("partial-succeeded", 3)
    assert record.end.outputs["rounds"] == 3


def test_an_error_in_a_break_condition_behind_a_round_fails_the_loop():
    record = run(loop(break_conditions=[at_least("x")]))
    assert (record.end.status, record.ran) == ("failed", ["start", "ls", "add", "loop"])
    assert events_of(record, events.RoundsEnded)[0].error == record.end.error


def test_loops_nest():
    inner = ("inner", "count")
    record = run(
        loop(
            node("inner", "loop", "loop", loop_count=2, start_node_id="ils", loop_variables=[variable("count")]),
            node("ils", "loop-start", "inner"),
            assigner("both", (inner, "+=", 1), (COUNT, "+=", 10), parent="inner"),
            "ils > both",
            assigner("sum", (COUNT, "+=", 1)),
            "ls > inner > sum",
        )
    )
    assert record.end.outputs == {"count": 63, "rounds": 3}
    assert record.outputs("inner") == {"count": 2, "loop_round": 2}


def test_an_iteration_inside_sees_and_writes_the_loop_s_variables():
    record = run(
        loop(
            node(
                "each",
                "iteration",
                "loop",
                iterator_selector=["start", "x"],
                output_selector=["say", "answer"],
                start_node_id="is",
            ),
            node("is", "iteration-start", "each"),
            assigner("sum", (COUNT, "+=", 1), parent="each"),
            answer("{{#each.item#}}{{#loop.count#}} ", "say", "each"),
            "is > sum > say",
            "ls > each",
            rounds=2,
        ),
        {"x": ["a", "b"]},
    )
    assert record.text == "a1 b2 a3 b4 "
    assert record.outputs("loop")["count"] == 4


def test_an_interrupted_loop_goes_on_where_it_was():
    definition = loop(counting(), answer("{{#loop.count#}} ", "say", "loop"), "ls > add > say")
    ends = run(definition).journal.ends
    for kept in range(1, len(ends)):
        again = run(definition, past=ends[:kept])
        assert (again.text, again.end.outputs) == ("1 2 3 ", {"answer": "1 2 3 ", "files": []})
        begun = {ended.execution.id for ended in ends[:kept]}
        assert not [event for event in events_of(again, events.NodeSucceeded) if event.execution.id in begun]


def test_what_an_ended_loop_wrote_outside_is_there_when_another_worker_goes_on():
    total = ("conversation", "total")
    definition = loop(
        assigner("add", (total, "+=", 2)), "ls > add", answer("{{#conversation.total#}}", "last"), "loop > last"
    )
    known = {"conversation": {"total": 1}, "types": {"total": "number"}}
    ends = run(definition, **known).journal.ends
    until = next(place for place, ended in enumerate(ends) if ended.execution.node_id == "loop")
    assert run(definition, past=ends[: until + 1], **known).text == "7"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"rounds": 0}, "loop_count"),
        ({"rounds": None}, "loop_count"),
        ({"logical_operator": "xor"}, "logical_operator"),
    ],
)
def test_a_file_that_cannot_run_is_refused(data, named):
    with pytest.raises(GraphInvalid, match=rf"node 'loop' \(loop\): {named}"):
        build(loop(**data))


@pytest.mark.parametrize("absent", ["loop_variables", "break_conditions"])
def test_lists_may_be_null(absent):
    definition = loop(answer("a", "say", "loop"), "ls > say", rounds=2)
    definition["nodes"][1]["data"][absent] = None
    assert run(definition).text == "aa"
