"""Forms expire when they are not submitted in time (contract human-input.md §7)."""

import pytest

from app.models.identifiers import now
from app.services.generation import run_forms
from app.tasks import expire_forms
from tests.support.factories import make_graph_app
from tests.support.people import (
    Answerer,
    age_form,
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
from tests.support.sse import parse_frames
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human, paragraph
from tests.support.workflow.graphs import end, graph, node, start

WEEK = 7 * 86_400


def test_a_form_that_ran_out_is_closed_before_the_clock_comes(visitor):
    frames = visitor.run(topic="x")
    form, person = form_of(frames), answerer_of(visitor, frames)
    age_form(form["form_id"], 3 * 86_400)
    answer = person.read()
    assert refusal(answer) == (412, "human_input_form_expired")
    assert answer.get_json()["message"] == f"This form has expired, form_id={form['form_id']}"
    assert refusal(person.submit(comment="y")) == refusal(person.upload_token()) == (412, "human_input_form_expired")


def test_the_clock_takes_the_timeout_branch(visitor):
    frames = visitor.run(topic="x")
    age_form(form_of(frames)["form_id"], 3 * 86_400)
    expire_forms()
    went_on = rest(visitor, frames)
    assert events(went_on)[:2] == ["workflow_started", "human_input_form_timeout"]
    timeout = went_on[1].data["data"]
    assert (timeout["node_id"], timeout["node_title"]) == ("ask", "ask")
    assert timeout["expiration_time"] == form_of(frames)["expiration_time"] - 3 * 86_400
    assert went_on[-1].data["data"]["outputs"] == {"comment": None, "action": ""}
    assert refusal(answerer_of(visitor, frames).read()) == (412, "human_input_form_expired")


def test_the_clock_leaves_forms_alone_that_have_time(visitor):
    frames = visitor.run(topic="x")
    expire_forms()
    assert answerer_of(visitor, frames).read().status_code == 200


def test_the_clock_takes_so_many_at_a_time(visitor):
    for _ in range(3):
        age_form(form_of(visitor.run(topic="x"))["form_id"], 3 * 86_400)
    assert len(run_forms.expire(now(), most=2)) == 2
    assert len(run_forms.expire(now(), most=2)) == 1


def test_a_node_that_ran_out_takes_its_branch_when_another_form_is_answered(client):
    both = graph(
        start(),
        human("one"),
        human("two"),
        end(a=["one", "__action_id"], b=["two", "__action_id"]),
        "start > one:go > end",
        "start > two:go > end",
        "two:__timeout > end",
    )
    visitor = WebVisitor(client, make_graph_app(both))
    frames = visitor.run()
    one, two = sorted(forms_of(frames), key=lambda form: form["node_id"])
    age_form(two["form_id"], 37 * 3600)
    assert Answerer(client, one["form_token"]).submit().status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["outputs"] == {"a": "go", "b": ""}


@pytest.mark.parametrize("timeout", [3, 30])
def test_a_form_that_is_a_week_old_ends_its_run(client, timeout):
    visitor = WebVisitor(client, asking(inputs=[paragraph("comment")], timeout=timeout, timeout_unit="day"))
    frames = visitor.run()
    age_form(form_of(frames)["form_id"], WEEK)
    person = answerer_of(visitor, frames)
    assert refusal(person.read()) == (412, "human_input_form_expired")
    expire_forms()
    (last,) = parse_frames(visitor.resume(run_id(frames)).get_data(as_text=True))
    data = last.data["data"]
    assert (data["status"], data["error"]) == ("stopped", "Human input global timeout at node ask")
    assert data["finished_at"] is not None
    assert execute("SELECT status FROM human_input_forms WHERE id = :id", id=form_of(frames)["form_id"]) == [
        ("expired",)
    ]


def test_a_message_whose_form_is_a_week_old_ends_as_it_is(chatter):
    frames = chatter.ask()
    age_form(form_of(frames)["form_id"], WEEK)
    expire_forms()
    (message,) = chatter.history(frames[0].data["conversation_id"])
    assert (message["status"], message["answer"]) == ("normal", "Draft. ")


def test_a_run_that_ends_closes_its_forms(client):
    fails = node("bad", "http-request", method="get", url="ftp://x")
    both = graph(start(), human("one"), human("two"), fails, "start > one:go > bad", "start > two:go")
    visitor = WebVisitor(client, make_graph_app(both))
    one, two = sorted(forms_of(visitor.run()), key=lambda form: form["node_id"])
    assert Answerer(client, one["form_token"]).submit().status_code == 200
    assert refusal(Answerer(client, two["form_token"]).read()) == (412, "human_input_form_expired")
