"""Visitors of apps that wait for people."""

import pytest
from flask.testing import FlaskClient

from tests.factories import make_graph_app
from tests.people import asking
from tests.web_client import WebVisitor
from tests.workflow.graphs import answer, graph, start
from tests.workflow.people import human, paragraph, variable


@pytest.fixture
def visitor(client: FlaskClient) -> WebVisitor:
    """A visitor of a workflow that asks for a comment."""
    content = "About {{#start.topic#}}.\n\nComment: {{#$output.comment#}}"
    inputs = [paragraph("comment", variable("start", "topic"))]
    return WebVisitor(client, asking("go", "no", content=content, inputs=inputs, timeout=3, timeout_unit="day"))


@pytest.fixture
def chatter(client: FlaskClient) -> WebVisitor:
    """A visitor of a chatflow that says something, asks, and says what it was told."""
    people = graph(
        start(), answer("Draft. ", "first"), human("ask", "go", content="OK?", inputs=[paragraph("comment")]),
        answer("You said {{#ask.comment#}}.", "last"), "start > first > ask:go > last",
    )  # fmt: skip
    return WebVisitor(client, make_graph_app(people, "advanced-chat"))
