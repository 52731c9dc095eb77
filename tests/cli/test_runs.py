"""`flask runs …`: runs are listed, shown and stopped."""

import json

import pytest

from app import tasks
from tests.support.factories import make_graph_app
from tests.support.people import Answerer, answerer_of, asking, refusal, rest, run_id
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, node, start


@pytest.fixture
def visitor(client):
    environment = [{"id": "e", "name": "key", "value_type": "secret", "value": "s3cret-value"}]
    keep = node("keep", "variable-aggregator", title="Keep it", variables=[["env", "key"]])
    flow = graph(start(text="text-input"), keep, end(result=["start", "text"]), "start > keep > end")
    return WebVisitor(client, make_graph_app(flow, environment_variables=environment))


def test_runs_are_listed_newest_first(run, visitor):
    ids = [visitor.run(text=text)[0].data["workflow_run_id"] for text in ("one", "two")]
    exit_code, out, _ = run("runs", "list", "--app", visitor.app.code, "--json")
    assert exit_code == 0
    assert [(entry["id"], entry["status"]) for entry in json.loads(out)] == [
        (ids[1], "succeeded"),
        (ids[0], "succeeded"),
    ]
    assert ids[0] in run("runs", "list", "--app", visitor.app.code)[1]


def test_a_list_can_be_of_one_status(run, visitor):
    visitor.run(text="one")
    assert json.loads(run("runs", "list", "--app", visitor.app.code, "--status", "failed", "--json")[1]) == []


def test_a_run_is_shown_node_by_node_without_secrets(run, visitor):
    run_id = visitor.run(text="hello")[0].data["workflow_run_id"]
    exit_code, out, _ = run("runs", "show", run_id, "--json")
    shown = json.loads(out)
    assert exit_code == 0
    assert [(entry["node_id"], entry["status"]) for entry in shown["nodes"]] == [
        ("start", "succeeded"),
        ("keep", "succeeded"),
        ("end", "succeeded"),
    ]
    assert shown["outputs"] == {"result": "hello"}
    assert "s3cret-value" not in out and "s3cret-value" not in run("runs", "show", run_id)[1]


def test_an_ended_run_is_not_stopped(run, visitor):
    run_id = visitor.run(text="hello")[0].data["workflow_run_id"]
    assert run("runs", "stop", run_id) == (0, "The run has ended already.\n", "")


@pytest.mark.parametrize("command", ["show", "stop"])
@pytest.mark.parametrize("unknown", ["none", "01920000-0000-7000-8000-000000000000"])
def test_an_unknown_run_is_one_line(run, command, unknown):
    exit_code, _, err = run("runs", command, unknown)
    assert exit_code == 1 and err.count("\n") == 1 and unknown in err


@pytest.fixture
def waiting(client):
    """The frames of a run that waits for a person, and its end user."""
    visitor = WebVisitor(client, asking(inputs=[]))
    return visitor, visitor.run(topic="x")


def test_a_run_that_waits_shows_its_forms(run, waiting, client, app, monkeypatch):
    monkeypatch.setitem(app.config, "WEB_APP_URL", "https://pages.example.com")
    exit_code, out, _ = run("runs", "show", run_id(waiting[1]), "--json")
    (form,) = json.loads(out)["forms"]
    assert (exit_code, form["node_id"], form["status"]) == (0, "ask", "waiting")
    token = form["page"].removeprefix("https://pages.example.com/form/")
    assert token in run("runs", "show", run_id(waiting[1]))[1]
    assert Answerer(client, token).submit().status_code == 200
    (form,) = json.loads(run("runs", "show", run_id(waiting[1]), "--json")[1])["forms"]
    assert (form["status"], form["action"], form["page"]) == ("submitted", "go", None)


def test_a_run_that_waits_can_be_stopped(run, waiting):
    visitor, frames = waiting
    assert run("runs", "stop", run_id(frames)) == (0, "The run was asked to stop.\n", "")
    tasks.generate(frames[0].data["task_id"])
    data = rest(visitor, frames)[-1].data["data"]
    assert (data["status"], data["error"], data["total_steps"]) == ("stopped", "Stopped by user.", 1)
    assert refusal(answerer_of(visitor, frames).read()) == (412, "human_input_form_expired")
