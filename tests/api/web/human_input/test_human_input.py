"""Runs that wait for a person, and go on when one answers (contract human-input.md §4, §6, §10, checklist §11)."""

import re
import time

import pytest

from app.services.generation.workflow_run_publisher import WorkflowRunPublisher
from app.workflow.values.files import File
from tests.support.factories import make_graph_app
from tests.support.people import (
    Answerer,
    answerer_of,
    asking,
    events,
    execute,
    form_of,
    forms_of,
    refusal,
    rest,
    run_id,
)
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human, paragraph, variable
from tests.support.workflow.graphs import answer, end, graph, start


def test_the_stream_ends_with_the_form_and_the_pause(visitor):
    frames = visitor.run(topic="cats")
    assert events(frames)[-3:] == ["node_started", "human_input_required", "workflow_paused"]
    form = form_of(frames)
    token = form.pop("form_token")
    assert re.fullmatch("[A-Za-z0-9]{22}", token)
    assert 3 * 86_400 - 60 < form.pop("expiration_time") - time.time() <= 3 * 86_400
    assert form.pop("form_id")
    assert form == {
        "node_id": "ask",
        "node_title": "ask",
        "form_content": "About cats.\n\nComment: {{#$output.comment#}}",
        "inputs": [paragraph("comment", variable("start", "topic"))],
        "resolved_default_values": {"comment": "cats"},
        "display_in_ui": True,
        "actions": [
            {"id": "go", "title": "GO", "button_style": "default"},
            {"id": "no", "title": "NO", "button_style": "default"},
        ],
    }


def test_the_pause_names_its_nodes_and_reasons(visitor):
    frames = visitor.run(topic="cats")
    data = frames[-1].data["data"]
    form = form_of(frames)
    assert (data["workflow_run_id"], data["paused_nodes"], data["status"]) == (run_id(frames), ["ask"], "paused")
    assert data["reasons"] == [{"TYPE": "human_input_required", **form}]
    assert (data["total_steps"], data["total_tokens"]) == (2, 0)


def test_a_form_that_is_not_for_the_page_shows_no_token(client):
    visitor = WebVisitor(client, asking(delivery_methods=[]))
    form = form_of(visitor.run())
    assert (form["display_in_ui"], form["form_token"]) == (False, None)


def test_a_paused_run_has_no_worker(visitor):
    visitor.run(topic="cats")
    assert execute("SELECT status FROM tasks WHERE app_id = :app", app=visitor.app.id) == [("paused",)]
    assert execute("SELECT status, finished_at FROM workflow_runs WHERE app_id = :app", app=visitor.app.id) == [
        ("paused", None)
    ]


def test_blocking_mode_answers_with_the_pause(chatter):
    body = chatter.post("/chat-messages", {"inputs": {}, "query": "Hi", "response_mode": "blocking"}).get_json()
    assert (body["event"], body["mode"], body["answer"], body["id"]) == (
        "workflow_paused",
        "advanced-chat",
        "Draft. ",
        body["message_id"],
    )
    assert set(body) == {
        "event",
        "task_id",
        "id",
        "message_id",
        "conversation_id",
        "mode",
        "answer",
        "metadata",
        "created_at",
        "workflow_run_id",
        "data",
    }
    data = body["data"]
    assert (data["paused_nodes"], data["status"], data["total_steps"], data["answer"]) == (
        ["ask"],
        "paused",
        3,
        "Draft. ",
    )
    assert data["reasons"][0]["form_content"] == "OK?"


def test_an_answer_takes_its_branch_and_the_run_goes_on(visitor):
    frames = visitor.run(topic="cats")
    answer = answerer_of(visitor, frames).submit(comment="fine")
    assert (answer.status_code, answer.get_json()) == (200, {})
    went_on = rest(visitor, frames)
    assert events(went_on) == [
        "workflow_started",
        "human_input_form_filled",
        "text_chunk",
        "text_chunk",
        "text_chunk",
        "node_finished",
        "node_started",
        "node_finished",
        "workflow_finished",
    ]
    assert went_on[0].data["data"]["reason"] == "resumption"
    assert went_on[1].data["data"] == {
        "node_id": "ask",
        "node_title": "ask",
        "rendered_content": "About cats.\n\nComment: fine",
        "action_id": "go",
        "action_text": "GO",
        "submitted_data": {"comment": "fine"},
    }
    finished = went_on[-1].data
    assert (finished["data"]["status"], finished["data"]["outputs"]) == (
        "succeeded",
        {"comment": "fine", "action": "go"},
    )
    assert finished["task_id"] == frames[0].data["task_id"]
    assert [frame.number for frame in frames + went_on] == list(range(1, len(frames) + len(went_on) + 1))


def test_a_form_is_answered_once(visitor):
    person = answerer_of(visitor, visitor.run(topic="cats"))
    assert person.submit(comment="fine").status_code == 200
    refused = (412, "human_input_form_submitted")
    assert (
        refusal(person.submit(comment="again")) == refusal(person.read()) == refusal(person.upload_token()) == refused
    )


@pytest.mark.parametrize(
    "body", [{}, {"inputs": {}}, {"action": "go"}, {"inputs": [], "action": "go"}, {"inputs": {}, "action": 5}, [], "x"]
)
def test_a_body_of_another_shape_is_refused(visitor, body):
    assert refusal(answerer_of(visitor, visitor.run(topic="x")).send(body)) == (400, "invalid_param")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"inputs": {"comment": "x"}, "action": "maybe"}, "Invalid action: maybe"),
        ({"inputs": {}, "action": "go"}, "Missing required inputs: comment"),
        ({"inputs": {}, "action": "maybe"}, "Invalid action: maybe"),
        ({"inputs": {"comment": 5}, "action": "maybe"}, "Invalid value for paragraph input 'comment': expected string"),
    ],
)
def test_values_are_checked_before_the_action_and_missing_keys(visitor, body, message):
    answer = answerer_of(visitor, visitor.run(topic="x")).send(body)
    assert answer.get_json() == {"code": "invalid_form_data", "message": message, "status": 400}


def test_missing_inputs_are_named_in_their_order(client):
    visitor = WebVisitor(client, asking(inputs=[paragraph("b"), paragraph("a"), paragraph("c")]))
    answer = answerer_of(visitor, visitor.run()).submit(a="x")
    assert answer.get_json()["message"] == "Missing required inputs: b, c"


def test_a_bad_answer_leaves_the_form_open(visitor):
    person = answerer_of(visitor, visitor.run(topic="x"))
    person.submit("maybe", comment="x")
    assert person.submit(comment="").status_code == 200


def test_an_object_of_another_key_names_no_file(visitor):
    frames = visitor.run(topic="x")
    claimed = File("i", "image", "local_file", "a.png", related_id="anybody's", url="old").as_object()
    answerer_of(visitor, frames).submit(comment="", more=claimed)
    shown = rest(visitor, frames)[1].data["data"]["submitted_data"]["more"]
    assert shown == {name: value for name, value in claimed.items() if name != "dify_model_identity"}


def test_null_is_an_empty_paragraph_and_other_keys_are_kept(visitor):
    frames = visitor.run(topic="x")
    answerer_of(visitor, frames).submit(comment=None, more={"a": [1]})
    filled = rest(visitor, frames)[1].data["data"]
    assert filled["submitted_data"] == {"comment": "", "more": {"a": [1]}}


@pytest.mark.parametrize("inputs", [{"comment": "abcdef"}, {"comment": "a", "more": {"a": [1]}}])
def test_an_input_is_as_long_as_the_installation_allows(visitor, app, monkeypatch, inputs):
    monkeypatch.setitem(app.config, "INPUT_CHARACTERS", 5)
    answer = answerer_of(visitor, visitor.run(topic="x")).submit(**inputs)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_form_data")


def select(**source):
    return {
        "type": "select",
        "output_variable_name": "comment",
        "option_source": {"type": "constant", "selector": [], "value": []} | source,
    }


@pytest.mark.parametrize(("value", "said"), [(5, "expected string"), (None, "expected string"), ("c", "c"), ("", "")])
def test_a_choice_must_be_one_of_the_options(client, value, said):
    visitor = WebVisitor(client, asking(inputs=[select(value=["a", "b"])]))
    answer = answerer_of(visitor, visitor.run()).submit(comment=value)
    assert answer.get_json()["message"] == f"Invalid value for select input 'comment': {said}"


def test_options_of_a_variable_are_shown_and_checked(client):
    app = make_graph_app(
        graph(
            start(),
            human("ask", inputs=[select(type="variable", selector=["conversation", "kept"])]),
            answer("{{#ask.comment#}}"),
            "start > ask:go > answer",
        ),
        "advanced-chat",
        conversation_variables=[{"id": "1", "name": "kept", "value_type": "array[string]", "value": ["a", "b"]}],
    )
    visitor = WebVisitor(client, app)
    frames = visitor.ask()
    person = answerer_of(visitor, frames)
    assert form_of(frames)["inputs"][0]["option_source"]["value"] == ["a", "b"]
    assert person.read().get_json()["inputs"][0]["option_source"]["value"] == ["a", "b"]
    assert person.submit(comment="c").status_code == 400
    assert person.submit(comment="b").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["outputs"]["answer"] == "b"


def test_text_that_no_database_takes_is_taken_without_it(visitor):
    frames = visitor.run(topic="x")
    assert answerer_of(visitor, frames).submit(comment="a\0b").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["outputs"]["comment"] == "ab"


def test_a_run_with_two_forms_waits_for_each(client):
    both = graph(
        start(),
        human("one"),
        human("two"),
        end(a=["one", "__action_id"], b=["two", "__action_id"]),
        "start > one:go > end",
        "start > two:go > end",
    )
    visitor = WebVisitor(client, make_graph_app(both))
    frames = visitor.run()
    one, two = sorted(forms_of(frames), key=lambda form: form["node_id"])
    assert Answerer(client, two["form_token"]).submit().status_code == 200
    between = rest(visitor, frames)
    assert events(between)[0] == "workflow_started"
    assert events(between)[-2:] == ["human_input_required", "workflow_paused"]
    assert form_of(between)["form_token"] == one["form_token"]
    assert Answerer(client, one["form_token"]).submit().status_code == 200
    assert rest(visitor, between)[-1].data["data"]["outputs"] == {"a": "go", "b": "go"}


def test_a_run_may_pause_again(client):
    visitor = WebVisitor(
        client, make_graph_app(graph(start(), human("one"), human("two"), end(), "start > one:go > two:go > end"))
    )
    frames = visitor.run()
    answerer_of(visitor, frames).submit()
    again = rest(visitor, frames)
    assert form_of(again)["node_id"] == "two"
    answerer_of(visitor, again).submit()
    done = rest(visitor, again)
    assert done[-1].data["data"]["status"] == "succeeded"
    assert [frame.data["data"]["index"] for frame in frames + again + done if frame.event == "node_finished"] == [
        1,
        2,
        3,
        4,
    ]
    assert done[-1].data["data"]["total_steps"] == 4


def test_an_answer_that_comes_while_the_run_runs_is_not_lost(client, monkeypatch):
    """Two forms: the second is answered while the run goes on from the first, before it pauses again."""
    both = graph(
        start(),
        human("one"),
        human("two"),
        end(a=["one", "__action_id"], b=["two", "__action_id"]),
        "start > one:go > end",
        "start > two:go > end",
    )
    visitor = WebVisitor(client, make_graph_app(both))
    frames = visitor.run()
    one, two = sorted(forms_of(frames), key=lambda form: form["node_id"])
    pause = WorkflowRunPublisher.pause

    def answer_first(publisher, end, forms):
        monkeypatch.setattr(WorkflowRunPublisher, "pause", pause)
        assert Answerer(client, two["form_token"]).submit().status_code == 200
        return pause(publisher, end, forms)

    monkeypatch.setattr(WorkflowRunPublisher, "pause", answer_first)
    assert Answerer(client, one["form_token"]).submit().status_code == 200
    went_on = rest(visitor, frames)
    assert events(went_on).count("workflow_paused") == 0
    assert went_on[-1].data["data"]["outputs"] == {"a": "go", "b": "go"}
