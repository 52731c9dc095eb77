"""Graphs with a loop that counts its rounds, and nodes that lie inside it."""

from tests.support.workflow.graphs import end, graph, node, start

COUNT = ("loop", "count")


def variable(label, kind="number", value=0, value_type="constant"):
    return {"label": label, "var_type": kind, "value_type": value_type, "value": value}


def at_least(value, selector=COUNT, operator="≥"):
    return {"variable_selector": list(selector), "comparison_operator": operator, "value": value}


def assigner(node_id, *items, parent="loop"):
    written = [
        {
            "variable_selector": list(target),
            "operation": operation,
            "value": value,
            "input_type": "variable" if operation in ("over-write", "append") else "constant",
        }
        for target, operation, value in items
    ]
    return node(node_id, "assigner", parent, version="2", items=written)


def loop(*parts, rounds=3, loop_variables=None, **data):
    """A loop whose children are `parts`, by default one that counts its rounds.

    An end follows, or what `parts` put there.
    """
    variables = [variable("count")] if loop_variables is None else loop_variables
    if not parts:
        parts = (counting(), "ls > add")
    speaks = any(isinstance(part, dict) and part["data"]["type"] == "answer" for part in parts)
    behind = () if speaks else (end(count=list(COUNT), rounds=["loop", "loop_round"]), "loop > end")
    return graph(
        start(),
        node("loop", "loop", loop_count=rounds, loop_variables=variables, start_node_id="ls", **data),
        node("ls", "loop-start", "loop"),
        *parts,
        *behind,
        "start > loop",
    )


def counting(by=1):
    return assigner("add", (COUNT, "+=", by))
