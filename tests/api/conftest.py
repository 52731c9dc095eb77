"""End users of apps that wait for people, and of agents."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.agents import agent, house_registry
from tests.support.factories import make_graph_app
from tests.support.parts import put_part
from tests.support.people import asking
from tests.support.scripted_model import ScriptedModel
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human, paragraph, variable
from tests.support.workflow.graphs import answer, graph, start
from tests.support.workflow.toolbox import CountedTool


@pytest.fixture
def visitor(client: FlaskClient) -> WebVisitor:
    """An end user of a workflow that asks for a comment."""
    content = "About {{#start.topic#}}.\n\nComment: {{#$output.comment#}}"
    inputs = [paragraph("comment", variable("start", "topic"))]
    return WebVisitor(client, asking("go", "no", content=content, inputs=inputs, timeout=3, timeout_unit="day"))


@pytest.fixture
def chatter(client: FlaskClient) -> WebVisitor:
    """An end user of a chatflow that says something, asks, and says what it was told."""
    people = graph(
        start(),
        answer("Draft. ", "first"),
        human("ask", "go", content="OK?", inputs=[paragraph("comment")]),
        answer("You said {{#ask.comment#}}.", "last"),
        "start > first > ask:go > last",
    )
    return WebVisitor(client, make_graph_app(people, "advanced-chat"))


@pytest.fixture
def lookup() -> CountedTool:
    return CountedTool("lookup")


@pytest.fixture
def house(app: Flask, monkeypatch: pytest.MonkeyPatch, lookup: CountedTool) -> Callable[..., None]:
    """Puts tools where apps find them; at first there is one, `lookup`."""

    def install(*tools: CountedTool) -> None:
        put_part(monkeypatch, app, house_registry(*tools))

    install(lookup)
    return install


@pytest.fixture
def asker(client: FlaskClient, house: Callable[..., None], model: ScriptedModel) -> WebVisitor:
    """An end user of an agent that has one tool."""
    return agent(client)
