"""Runs of one conversation that go on at the same time: each adds to what the others have stored."""

import pytest

from app import tasks as queue
from app.models.tasks import find_task
from app.services.auth.end_users import find_or_make
from app.services.visitor import generations
from app.services.visitor.chat import start as begin
from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, node, start

SEEN = ["conversation", "seen"]
COUNT = ["conversation", "count"]
VARIABLES = [
    {"id": "v1", "name": "seen", "value_type": "array[string]", "value": ["first"]},
    {"id": "v2", "name": "count", "value_type": "number", "value": 0},
]


def change(node_id: str, *items: tuple[list[str], str, object], parent: str | None = None):
    named = [
        {
            "variable_selector": target,
            "operation": operation,
            "value": value,
            "input_type": "constant" if operation == "+=" else "variable",
        }
        for target, operation, value in items
    ]
    return node(node_id, "assigner", parent, version="2", items=named)


@pytest.fixture
def remembering(client) -> WebVisitor:
    """A visitor of a chatflow that remembers every question."""
    keep = change("keep", (SEEN, "append", ["sys", "query"]), (COUNT, "+=", 1))
    flow = graph(start(), keep, answer("{{#conversation.count#}}: {{#conversation.seen#}}"), "start > keep > answer")
    return WebVisitor(client, make_graph_app(flow, "advanced-chat", conversation_variables=VARIABLES))


def test_two_questions_at_once_are_both_remembered(remembering):
    asker = find_or_make(remembering.app.id)
    first = begin(remembering.app, asker, generations.Question("one", {}))
    others = [
        begin(remembering.app, asker, generations.Question(query, {}, conversation_id=first.conversation_id))
        for query in ("two", "three")
    ]
    for task in (*others, first):
        queue.generate(task.task_id)
    last = begin(remembering.app, asker, generations.Question("four", {}, conversation_id=first.conversation_id))
    queue.generate(last.task_id)
    assert find_task(last.task_id).answer == "4: - first\n- two\n- three\n- one\n- four"


def test_parallel_branches_and_rounds_add_up(client):
    it = node(
        "it",
        "iteration",
        iterator_selector=SEEN,
        output_selector=["it", "item"],
        start_node_id="is",
        is_parallel=True,
    )
    branches = [change(f"b{number}", (COUNT, "+=", 1)) for number in range(6)]
    flow = graph(
        start(),
        *branches,
        it,
        node("is", "iteration-start", "it"),
        change("add", (COUNT, "+=", 1), parent="it"),
        answer("{{#conversation.count#}}"),
        "start > it > answer",
        "is > add",
        *(f"start > b{number} > answer" for number in range(6)),
    )
    seen = [VARIABLES[0] | {"value": [str(number) for number in range(14)]}, VARIABLES[1]]
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", conversation_variables=seen))
    answers = [visitor.ask("Hi")]
    answers.append(visitor.ask("again", conversation_id=answers[0][0].data["conversation_id"]))
    assert [frames[-1].data["data"]["outputs"]["answer"] for frames in answers] == ["20", "40"]
