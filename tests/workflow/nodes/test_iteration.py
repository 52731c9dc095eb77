"""`iteration` (contract dsl.md §3.7): one round for each item, in turn or in parallel, with three error modes."""

import pytest

from app.providers.models.thoughts import TextChange
from app.workflow.contracts import events
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import answer, end, events_of, graph, node, run, start
from tests.support.workflow.iterations import ITEM, iteration, pick, say


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("items", [["a", "b", "c"], ["a"], [1, {"k": "v"}, None, True], list(range(50))])
def test_the_results_have_the_order_of_the_items(items, parallel):
    assert run(iteration(is_parallel=parallel), {"x": items}).end.outputs == {"all": items}


def test_item_and_index_are_there_inside():
    assert run(iteration(say("{{#it.index#}}:{{#it.item#}} "), "is > say"), {"x": ["a", "b"]}).text == "0:a 1:b "


def test_keys_of_items_are_there_inside():
    assert run(iteration(pick([*ITEM, "name"]), "is > pick"), {"x": [{"name": "a"}, {"name": "b"}]}).end.outputs == {
        "all": ["a", "b"]
    }


@pytest.mark.parametrize("items", [[], None])
def test_nothing_to_do_is_a_success(items):
    record = run(iteration(), {"x": items})
    assert (record.end.status, record.end.outputs) == ("succeeded", {"all": []})
    assert not events_of(record, events.RoundStarted)


@pytest.mark.parametrize("inputs", [{}, {"x": "text"}, {"x": 5}, {"x": {"a": 1}}])
def test_a_missing_list_or_none_at_all_is_an_error(inputs):
    assert run(iteration(), inputs).end.status == "failed"


def test_events_of_the_rounds():
    record = run(iteration(), {"x": ["a", "b"]})
    started, ended = events_of(record, events.RoundsStarted)[0], events_of(record, events.RoundsEnded)[0]
    assert (started.length, started.inputs) == (2, {"iterator_selector": ["a", "b"]})
    assert [event.index for event in events_of(record, events.RoundStarted)] == [0, 1]
    assert (ended.error, ended.steps, ended.result.outputs) == (None, 2, {"output": ["a", "b"]})
    assert [event.execution.iteration_id for event in events_of(record, events.NodeStarted)] == [None, "it", "it", None]


def test_the_events_stand_in_order():
    names = [name for name in run(iteration(), {"x": ["a"]}).named() if name.endswith((" it", " is", " pick"))]
    assert names == ["RoundsStarted it", "RoundStarted it", "NodeStarted pick", "NodeSucceeded pick", "RoundsEnded it"]


@pytest.mark.parametrize(
    ("items", "flatten", "expected"),
    [
        ([["a"], ["b", "c"]], True, ["a", "b", "c"]),
        ([["a"], ["b", "c"]], False, [["a"], ["b", "c"]]),
        ([["a"], None, []], True, ["a"]),
        ([["a"], "b"], True, [["a"], "b"]),
        ([None, None], True, [None, None]),
        ([[["a"]], [["b"]]], True, [["a"], ["b"]]),
        ([[], []], True, []),
    ],
)
def test_lists_are_joined(items, flatten, expected):
    assert run(iteration(flatten_output=flatten), {"x": items}).end.outputs == {"all": expected}


def test_lists_are_joined_where_the_file_does_not_say():
    assert run(iteration(), {"x": [["a"], ["b"]]}).end.outputs == {"all": ["a", "b"]}


def test_an_output_that_no_node_gave_is_null():
    check = {"variable_selector": ITEM, "comparison_operator": "is", "value": "a"}
    choice = node("check", "if-else", "it", cases=[{"case_id": "yes", "conditions": [check]}])
    record = run(iteration(choice, pick(ITEM), "is > check:yes > pick"), {"x": ["a", "b", "a"]})
    assert record.end.outputs == {"all": ["a", None, "a"]}


@pytest.mark.parametrize("parallel", [False, True])
def test_iterations_nest(parallel):
    inner = node(
        "inner",
        "iteration",
        "it",
        iterator_selector=ITEM,
        output_selector=["both", "answer"],
        start_node_id="iis",
        is_parallel=parallel,
        flatten_output=False,
    )
    record = run(
        iteration(
            inner,
            node("iis", "iteration-start", "inner"),
            say("{{#it.index#}}{{#inner.item#}}", "both", "inner"),
            "iis > both",
            "is > inner",
            output=("inner", "output"),
            is_parallel=parallel,
        ),
        {"x": [["a", "b"], ["c"]]},
    )
    assert record.outputs("it") == {"output": ["0a", "0b", "1c"]}
    assert {event.execution.iteration_id for event in events_of(record, events.NodeStarted)} == {None, "inner"}


def test_a_loop_inside_has_its_variables_anew_in_each_round():
    total = ("loop", "total")
    written = {"variable_selector": list(total), "operation": "append", "input_type": "variable", "value": ITEM}
    record = run(
        iteration(
            node(
                "loop",
                "loop",
                "it",
                loop_count=2,
                start_node_id="ls",
                loop_variables=[{"label": "total", "var_type": "array[string]", "value_type": "constant", "value": ""}],
            ),
            node("ls", "loop-start", "loop"),
            node("add", "assigner", "loop", version="2", items=[written]),
            "ls > add",
            "is > loop",
            output=total,
            flatten_output=False,
        ),
        {"x": ["a", "b"]},
    )
    assert record.end.outputs == {"all": [["a", "a"], ["b", "b"]]}


def test_answers_inside_are_said_in_turn_before_what_follows():
    record = run(
        iteration(say("{{#it.item#}}\n"), "is > say", answer("done", "last"), "it > last"), {"x": ["apple", "banana"]}
    )
    assert (record.text, record.end.outputs["answer"]) == ("apple\nbanana\ndone", "apple\nbanana\ndone")


def test_answers_inside_are_said_round_by_round():
    record = run(iteration(say("{{#it.item#}}\n"), "is > say"), {"x": ["apple", "banana"]})
    names = [name for name in record.named() if name.startswith(("TextStreamed", "RoundStarted"))]
    assert names == ["RoundStarted it", "TextStreamed apple\n", "RoundStarted it", "TextStreamed banana\n"]


def test_the_output_comes_to_an_outer_answer_as_one_piece(kind):
    def stream(context):
        context.stream("text", TextChange("a"))
        context.stream("text", TextChange("b"))
        return {"text": "ab"}

    kind("streaming", stream)
    record = run(
        iteration(
            node("s", "streaming", "it"), "is > s", answer("{{#it.output#}}", "last"), "it > last", output=("s", "text")
        ),
        {"x": [1, 2]},
    )
    assert record.pieces == ["- ab\n- ab"]


@pytest.mark.parametrize("parallel", [False, True])
def test_conversation_variables_written_inside_are_carried_back(parallel):
    total = ("conversation", "total")
    written = {"variable_selector": list(total), "operation": "over-write", "input_type": "variable", "value": ITEM}
    record = run(
        iteration(
            node("put", "assigner", "it", version="2", items=[written]),
            "is > put",
            answer("{{#conversation.total#}}", "last"),
            "it > last",
            is_parallel=parallel,
        ),
        {"x": ["new"]},
        conversation={"total": "old"},
        types={"total": "string"},
    )
    assert record.text == "new"


@pytest.mark.parametrize("kept", range(1, 8))
def test_an_interrupted_iteration_goes_on_where_it_was(kept):
    definition = iteration(
        say("{{#it.item#}}\n"), "is > say", answer("{{#it.output#}}", "last"), "it > last", output=("say", "answer")
    )
    ends = run(definition, {"x": ["a", "b"]}).journal.ends
    again = run(definition, {"x": ["a", "b"]}, past=ends[:kept])
    assert again.text == "a\nb\n- a\n\n- b\n"
    assert not {ended.execution.id for ended in ends[:kept]} & {
        event.execution.id for event in events_of(again, events.NodeSucceeded)
    }


def test_files_of_0_1_begin_at_the_first_child():
    first = pick(ITEM)
    first["data"]["isIterationStart"] = True
    definition = graph(
        start(),
        node(
            "it",
            "iteration",
            iterator_selector=["start", "x"],
            output_selector=["pick", "output"],
            start_node_id="pick",
        ),
        first,
        end(all=["it", "output"]),
        "start > it > end",
    )
    assert run(definition, {"x": ["a", "b"]}).end.outputs == {"all": ["a", "b"]}


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"iterator_selector": None}, "iterator_selector"),
        ({"output_selector": None}, "output_selector"),
        ({"error_handle_mode": "shrug"}, "error_handle_mode"),
        ({"parallel_nums": "many"}, "parallel_nums"),
    ],
)
def test_a_file_that_cannot_run_is_refused(data, named):
    settings = {"iterator_selector": ["start", "x"], "output_selector": ["pick", "output"], **data}
    with pytest.raises(GraphInvalid, match=rf"node 'it' \(iteration\): {named}"):
        build(
            graph(
                start(),
                node("it", "iteration", **settings),
                node("is", "iteration-start", "it"),
                pick(ITEM),
                "start > it",
                "is > pick",
            )
        )
