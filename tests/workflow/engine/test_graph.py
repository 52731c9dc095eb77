"""Graphs that are refused at import, with messages that name the node (contract dsl.md §3.4, §3.5)."""

import pytest

from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from tests.support.workflow.graphs import end, graph, node, run, start


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (graph(end()), ["no start node"]),
        (graph(start(), node("x", "unheard-of", title="My node"), "start > x"), ["My node", "unheard-of"]),
        (graph(start(), "start > gone"), ["start", "gone"]),
        (graph(start(), end(), {**end(), "id": "start"}, "start > end"), ["same id"]),
        (
            graph(
                start(),
                node("a", "variable-aggregator", variables=[]),
                node("b", "variable-aggregator", variables=[]),
                "start > a > b > a",
            ),
            ["circle"],
        ),
        (graph(start(), node("a", "template-transform", title="Text"), "start > a"), ["Text", "template"]),
        (graph(start(), node("a", "end", "nowhere"), "start"), ["a", "nowhere"]),
        (graph(start(), {"id": "x", "type": "custom"}), ["no data"]),
        (graph(start(), {"id": "x", "type": "custom", "data": {"title": "Nameless"}}), ["Nameless", "type"]),
        (graph(start(), node("l", "loop", loop_count=0), node("in", "loop-start", "l")), ["l", "loop_count"]),
        (
            graph(start(), node("i", "iteration", iterator_selector=["a", "b"], output_selector=["c", "d"])),
            ["i", "contains no nodes"],
        ),
    ],
)
def test_a_wrong_graph_is_refused(definition, words):
    with pytest.raises(GraphInvalid) as refused:
        build(definition)
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_two_edges_of_the_same_id_are_refused():
    definition = graph(start(), end(), "start > end")
    definition["edges"] = [definition["edges"][0] | {"id": "e"}] * 2
    with pytest.raises(GraphInvalid, match="same id"):
        build(definition)


def test_notes_are_no_nodes():
    record = run(
        graph(start(), {"id": "note", "type": "custom-note", "data": {"type": "", "text": "x"}}, end(), "start > end")
    )
    assert record.ran == ["start", "end"]


def test_handles_and_ids_of_edges_may_be_absent():
    definition = graph(start(), end())
    definition["edges"] = [{"source": "start", "target": "end"}]
    assert run(definition).ran == ["start", "end"]
