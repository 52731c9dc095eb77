"""Graphs of one llm node."""

from tests.support.workflow.graphs import end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, services_with


def llm(*messages, node_id="llm", parent=None, **data):
    """Return an llm node. Each message is a text of the user, or (role, text)."""
    prompt = [
        {"role": "user", "text": part} if isinstance(part, str) else {"role": part[0], "text": part[1]}
        for part in messages
    ]
    return node(node_id, "llm", parent, **{"model": MODEL, "prompt_template": prompt, **data})


def flow(llm_node):
    return graph(start(), llm_node, end(text=["llm", "text"]), "start > llm > end")


def ask(model, llm_node, inputs=None, **parts):
    system = parts.pop("system", None)
    return run(flow(llm_node), inputs, services=services_with(model, **parts), system=system)
