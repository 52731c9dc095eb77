"""A limit of one answer at once: whoever has read an answer's last frame may ask again, however slow its worker is."""

import pytest

from app.streams.leases import Leases
from tests.support.factories import make_app, make_graph_app
from tests.support.people import asking
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, start

ECHO = graph(start(), end(result=["sys", "app_id"]), "start > end")
SPEAKS = graph(start(), answer("You said {{#sys.query#}}."), "start > answer")


@pytest.fixture(autouse=True)
def slow_workers(app, monkeypatch):
    """No worker gives a lease back during the test, and an app may have one answer at once."""
    monkeypatch.setitem(app.config, "APP_ACTIVE_LIMIT", 1)
    kept: list[tuple[Leases, str]] = []
    release = Leases.release
    with monkeypatch.context() as patch:
        patch.setattr(Leases, "release", lambda leases, task_id, outcome: kept.append((leases, task_id)))
        yield
    for leases, task_id in kept:
        release(leases, task_id)


@pytest.mark.parametrize("query", ["Hi", "[[fail-after:1]]", "[[fail:400]]"])
@pytest.mark.parametrize("response_mode", ["streaming", "blocking"])
def test_an_answer_or_an_error_leaves_its_place(alice, query, response_mode):
    for _ in range(2):
        assert alice.chat(query, response_mode=response_mode).status_code != 429


def test_a_completion_leaves_its_place(client):
    visitor = WebVisitor(client, make_app("completion"))
    body = {"inputs": {}, "query": "Hi", "response_mode": "blocking"}
    assert [visitor.post("/completion-messages", body).status_code for _ in range(2)] == [200, 200]


def test_a_run_leaves_its_place(client):
    visitor = WebVisitor(client, make_graph_app(ECHO))
    assert [visitor.run()[-1].event for _ in range(2)] == ["workflow_finished"] * 2


def test_a_chatflow_leaves_its_place(client):
    visitor = WebVisitor(client, make_graph_app(SPEAKS, mode="advanced-chat"))
    assert [visitor.ask()[-1].event for _ in range(2)] == ["workflow_finished"] * 2


def test_a_run_that_waits_for_people_leaves_its_place(client):
    visitor = WebVisitor(client, asking())
    assert [visitor.run(topic="cats")[-1].event for _ in range(2)] == ["workflow_paused"] * 2
