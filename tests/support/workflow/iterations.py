"""Graphs with an iteration over `start.x`, and nodes that lie inside it."""

from tests.support.workflow.graphs import answer, end, graph, node, start

ITEM = ["it", "item"]


def say(text="{{#it.item#}}", node_id="say", parent="it"):
    return answer(text, node_id, parent)


def pick(*selectors, node_id="pick", parent="it"):
    """A child whose `output` is the first of these variables that exists."""
    return node(node_id, "variable-aggregator", parent, variables=[list(selector) for selector in selectors])


def iteration(*parts, output=("pick", "output"), **data):
    """An iteration over `start.x` whose children are `parts`, by default one that gives the item itself.

    An end follows, or what `parts` put there.
    """
    parts = parts or (pick(ITEM), "is > pick")
    speaks = any(isinstance(part, dict) and part["data"]["type"] == "answer" for part in parts)
    behind = () if speaks else (end(all=["it", "output"]), "it > end")
    settings = {"iterator_selector": ["start", "x"], "output_selector": list(output), "start_node_id": "is", **data}
    return graph(
        start(), node("it", "iteration", **settings), node("is", "iteration-start", "it"), *parts, *behind, "start > it"
    )


# Children that fail unless the item is a number, and output it otherwise.
FAILING = (
    node(
        "check",
        "if-else",
        "it",
        cases=[
            {"case_id": "yes", "conditions": [{"variable_selector": ITEM, "comparison_operator": "≥", "value": "0"}]},
        ],
    ),
    pick(ITEM),
    "is > check:yes > pick",
)
