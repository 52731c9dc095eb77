"""Workflows that wait for a person (contract human-input.md; its checklist is §11)."""

import io
import re
import time

import pytest

from app.models.identifiers import now
from app.services import apps, form_expiry
from app.services.run_teller import RunTeller
from app.tasks import expire_forms
from tests.factories import make_graph_app
from tests.people import Answerer, age_form, execute, form_of, forms_of
from tests.sse import parse_frames
from tests.web_client import WebVisitor
from tests.workflow.graphs import answer, end, graph, node, start
from tests.workflow.people import human, paragraph, variable

WEEK = 7 * 86_400


def asking(*actions, mode="workflow", **data):
    """start > ask > end, or an answer, behind every action."""
    last = end(comment=["ask", "comment"], action=["ask", "__action_id"]) if mode == "workflow" else answer("{{#ask.comment#}}!", "end")
    paths = [f"start > ask:{action} > end" for action in (*(actions or ("go",)), "__timeout")]
    return make_graph_app(graph(start(topic="text-input"), human("ask", *(actions or ("go",)), **data), last, *paths), mode)


@pytest.fixture
def visitor(client):
    """A visitor of a workflow that asks for a comment."""
    content = "About {{#start.topic#}}.\n\nComment: {{#$output.comment#}}"
    inputs = [paragraph("comment", variable("start", "topic"))]
    return WebVisitor(client, asking("go", "no", content=content, inputs=inputs, timeout=3, timeout_unit="day"))


@pytest.fixture
def chatter(client):
    """A visitor of a chatflow that says something, asks, and says what it was told."""
    people = graph(
        start(), answer("Draft. ", "first"), human("ask", "go", content="OK?", inputs=[paragraph("comment")]),
        answer("You said {{#ask.comment#}}.", "last"), "start > first > ask:go > last",
    )  # fmt: skip
    return WebVisitor(client, make_graph_app(people, "advanced-chat"))


def somebody(visitor, frames):
    """Whoever was shown the form."""
    return Answerer(visitor.client, form_of(frames)["form_token"])


def run_id(frames):
    return frames[0].data["workflow_run_id"]


def refusal(answer):
    body = answer.get_json()
    return answer.status_code, body["code"]


def events(frames):
    return [frame.event for frame in frames]


def rest(visitor, frames):
    """What followed the last frame that a client has."""
    return parse_frames(visitor.resume(run_id(frames), str(frames[-1].number)).get_data(as_text=True))


# The pause


def test_the_stream_ends_with_the_form_and_the_pause(visitor):
    frames = visitor.run(topic="cats")
    assert events(frames)[-3:] == ["node_started", "human_input_required", "workflow_paused"]
    form = form_of(frames)
    token = form.pop("form_token")
    assert re.fullmatch("[A-Za-z0-9]{22}", token)
    assert 3 * 86_400 - 60 < form.pop("expiration_time") - time.time() <= 3 * 86_400
    assert form.pop("form_id")
    assert form == {
        "node_id": "ask", "node_title": "ask", "form_content": "About cats.\n\nComment: {{#$output.comment#}}",
        "inputs": [paragraph("comment", variable("start", "topic"))], "resolved_default_values": {"comment": "cats"}, "display_in_ui": True,
        "actions": [{"id": "go", "title": "GO", "button_style": "default"}, {"id": "no", "title": "NO", "button_style": "default"}],
    }  # fmt: skip


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


def test_a_paused_run_is_nobodys_work(visitor):
    visitor.run(topic="cats")
    assert execute("SELECT status FROM tasks WHERE app_id = :app", app=visitor.app.id) == [("paused",)]
    assert execute("SELECT status, finished_at FROM workflow_runs WHERE app_id = :app", app=visitor.app.id) == [("paused", None)]


def test_blocking_mode_answers_with_the_pause(chatter):
    body = chatter.post("/chat-messages", {"inputs": {}, "query": "Hi", "response_mode": "blocking"}).get_json()
    assert (body["event"], body["mode"], body["answer"], body["id"]) == ("workflow_paused", "advanced-chat", "Draft. ", body["message_id"])
    assert set(body) == {
        "event", "task_id", "id", "message_id", "conversation_id", "mode", "answer", "metadata", "created_at", "workflow_run_id", "data",
    }  # fmt: skip
    data = body["data"]
    assert (data["paused_nodes"], data["status"], data["total_steps"], data["answer"]) == (["ask"], "paused", 3, "Draft. ")
    assert data["reasons"][0]["form_content"] == "OK?"


# Reading a form


def test_who_has_the_token_sees_the_form(visitor):
    frames = visitor.run(topic="cats")
    answer = somebody(visitor, frames).read()
    assert answer.status_code == 200
    body = answer.get_json()
    site = body.pop("site")
    assert body == {
        "form_content": "About cats.\n\nComment: {{#$output.comment#}}", "inputs": [paragraph("comment", variable("start", "topic"))],
        "resolved_default_values": {"comment": "cats"}, "expiration_time": form_of(frames)["expiration_time"],
        "user_actions": [{"id": "go", "title": "GO", "button_style": "default"}, {"id": "no", "title": "NO", "button_style": "default"}],
    }  # fmt: skip
    assert (site["app_id"], site["end_user_id"], site["site"]["title"]) == (str(visitor.app.id), None, "Graph")


@pytest.mark.parametrize(("value", "text"), [(5, "5"), ({"a": ["é"]}, '{"a": ["é"]}'), ([1, "b"], '[1, "b"]'), (True, "True")])
def test_defaults_are_texts_on_the_page_and_values_in_events(client, value, text):
    inputs = [paragraph("comment", variable("conversation", "kept"))]
    app = make_graph_app(
        graph(start(), human("ask", "go", inputs=inputs), answer("x"), "start > ask:go > answer"), "advanced-chat",
        conversation_variables=[{"id": "1", "name": "kept", "value_type": "object", "value": value}],
    )  # fmt: skip
    visitor = WebVisitor(client, app)
    frames = visitor.ask()
    assert form_of(frames)["resolved_default_values"] == {"comment": value}
    assert somebody(visitor, frames).read().get_json()["resolved_default_values"] == {"comment": text}


def test_a_default_without_a_value_is_an_empty_text(visitor):
    frames = visitor.run()
    assert form_of(frames)["resolved_default_values"] == {"comment": None}
    assert somebody(visitor, frames).read().get_json()["resolved_default_values"] == {"comment": ""}


@pytest.mark.parametrize("token", ["A" * 22, "short", "x" * 23, "%00" * 7 + "a", "Ä" * 22, "a" * 5000])
def test_a_token_that_nobody_was_given_opens_nothing(client, token):
    answer = Answerer(client, token).read()
    assert answer.get_json() == {"code": "not_found", "message": "Form not found", "status": 404}


def test_tokens_are_case_sensitive(visitor):
    token = form_of(visitor.run(topic="x"))["form_token"]
    assert Answerer(visitor.client, token.swapcase()).read().status_code == 404


def test_a_disabled_site_shows_no_form(visitor):
    person = somebody(visitor, visitor.run(topic="x"))
    apps.set_enabled(visitor.app.code, False)
    assert refusal(person.read()) == (403, "forbidden")


def test_a_removed_app_has_no_forms(visitor):
    person = somebody(visitor, visitor.run(topic="x"))
    apps.remove(visitor.app.code)
    assert refusal(person.read()) == (404, "not_found")
    assert refusal(person.submit(comment="x")) == (404, "not_found")


def test_a_deleted_conversation_has_no_forms(chatter):
    frames = chatter.ask()
    person = somebody(chatter, frames)
    chatter.delete(f"/conversations/{frames[0].data['conversation_id']}")
    assert refusal(person.read()) == refusal(person.submit(comment="x")) == (404, "not_found")


def test_the_31st_request_of_a_kind_in_a_minute_is_refused(visitor):
    person = somebody(visitor, visitor.run(topic="x"))
    assert [person.read().status_code for _ in range(31)] == [200] * 30 + [429]
    assert refusal(person.read()) == (429, "web_form_rate_limit_exceeded")
    assert [person.upload_token().status_code for _ in range(31)] == [200] * 30 + [429]
    assert [person.submit("bad", comment="").status_code for _ in range(31)] == [400] * 30 + [429]
    assert Answerer(visitor.client, person.token).read().status_code == 200


def test_unknown_tokens_count_too(client):
    guesser = Answerer(client, "A" * 22)
    assert [guesser.read().status_code for _ in range(31)] == [404] * 30 + [429]


# Answering


def test_an_answer_takes_its_branch_and_the_run_goes_on(visitor):
    frames = visitor.run(topic="cats")
    answer = somebody(visitor, frames).submit(comment="fine")
    assert (answer.status_code, answer.get_json()) == (200, {})
    went_on = rest(visitor, frames)
    assert events(went_on) == [
        "workflow_started", "human_input_form_filled", "node_finished", "text_chunk", "text_chunk", "text_chunk", "node_started",
        "node_finished", "workflow_finished",
    ]  # fmt: skip
    assert went_on[0].data["data"]["reason"] == "resumption"
    assert went_on[1].data["data"] == {
        "node_id": "ask", "node_title": "ask", "rendered_content": "About cats.\n\nComment: fine", "action_id": "go", "action_text": "GO",
        "submitted_data": {"comment": "fine"},
    }  # fmt: skip
    finished = went_on[-1].data
    assert (finished["data"]["status"], finished["data"]["outputs"]) == ("succeeded", {"comment": "fine", "action": "go"})
    assert finished["task_id"] == frames[0].data["task_id"]
    assert [frame.number for frame in frames + went_on] == list(range(1, len(frames) + len(went_on) + 1))


def test_a_form_is_answered_once(visitor):
    person = somebody(visitor, visitor.run(topic="cats"))
    assert person.submit(comment="fine").status_code == 200
    refused = (412, "human_input_form_submitted")
    assert refusal(person.submit(comment="again")) == refusal(person.read()) == refusal(person.upload_token()) == refused


@pytest.mark.parametrize("body", [{}, {"inputs": {}}, {"action": "go"}, {"inputs": [], "action": "go"}, {"inputs": {}, "action": 5}, [], "x"])
def test_a_body_of_another_shape_is_refused(visitor, body):
    assert refusal(somebody(visitor, visitor.run(topic="x")).send(body)) == (400, "invalid_param")


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
    answer = somebody(visitor, visitor.run(topic="x")).send(body)
    assert answer.get_json() == {"code": "invalid_form_data", "message": message, "status": 400}


def test_missing_inputs_are_named_in_their_order(client):
    visitor = WebVisitor(client, asking(inputs=[paragraph("b"), paragraph("a"), paragraph("c")]))
    answer = somebody(visitor, visitor.run()).submit(a="x")
    assert answer.get_json()["message"] == "Missing required inputs: b, c"


def test_a_bad_answer_leaves_the_form_open(visitor):
    person = somebody(visitor, visitor.run(topic="x"))
    person.submit("maybe", comment="x")
    assert person.submit(comment="").status_code == 200


def test_null_is_an_empty_paragraph_and_other_keys_are_kept(visitor):
    frames = visitor.run(topic="x")
    somebody(visitor, frames).submit(comment=None, more={"a": [1]})
    filled = rest(visitor, frames)[1].data["data"]
    assert filled["submitted_data"] == {"comment": "", "more": {"a": [1]}}


def select(**source):
    return {"type": "select", "output_variable_name": "comment", "option_source": {"type": "constant", "selector": [], "value": []} | source}


@pytest.mark.parametrize(("value", "said"), [(5, "expected string"), (None, "expected string"), ("c", "c"), ("", "")])
def test_a_choice_must_be_one_of_the_options(client, value, said):
    visitor = WebVisitor(client, asking(inputs=[select(value=["a", "b"])]))
    answer = somebody(visitor, visitor.run()).submit(comment=value)
    assert answer.get_json()["message"] == f"Invalid value for select input 'comment': {said}"


def test_options_of_a_variable_are_shown_and_checked(client):
    app = make_graph_app(
        graph(start(), human("ask", inputs=[select(type="variable", selector=["conversation", "kept"])]), answer("{{#ask.comment#}}"),
              "start > ask:go > answer"), "advanced-chat",
        conversation_variables=[{"id": "1", "name": "kept", "value_type": "array[string]", "value": ["a", "b"]}],
    )  # fmt: skip
    visitor = WebVisitor(client, app)
    frames = visitor.ask()
    person = somebody(visitor, frames)
    assert form_of(frames)["inputs"][0]["option_source"]["value"] == ["a", "b"]
    assert person.read().get_json()["inputs"][0]["option_source"]["value"] == ["a", "b"]
    assert person.submit(comment="c").status_code == 400
    assert person.submit(comment="b").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["outputs"]["answer"] == "b"


def test_text_that_no_database_takes_is_taken_without_it(visitor):
    frames = visitor.run(topic="x")
    assert somebody(visitor, frames).submit(comment="a\0b").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["outputs"]["comment"] == "ab"


# Several forms, several pauses


def test_a_run_with_two_forms_waits_for_each(client):
    both = graph(start(), human("one"), human("two"), end(a=["one", "__action_id"], b=["two", "__action_id"]), "start > one:go > end", "start > two:go > end")
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
    visitor = WebVisitor(client, make_graph_app(graph(start(), human("one"), human("two"), end(), "start > one:go > two:go > end")))
    frames = visitor.run()
    somebody(visitor, frames).submit()
    again = rest(visitor, frames)
    assert form_of(again)["node_id"] == "two"
    somebody(visitor, again).submit()
    done = rest(visitor, again)
    assert done[-1].data["data"]["status"] == "succeeded"
    assert [frame.data["data"]["index"] for frame in frames + again + done if frame.event == "node_finished"] == [1, 2, 3, 4]
    assert done[-1].data["data"]["total_steps"] == 4


def test_an_answer_that_comes_while_the_run_runs_is_not_lost(client, monkeypatch):
    """Two forms: the second is answered while the run goes on from the first, before it pauses again."""
    both = graph(start(), human("one"), human("two"), end(a=["one", "__action_id"], b=["two", "__action_id"]), "start > one:go > end", "start > two:go > end")
    visitor = WebVisitor(client, make_graph_app(both))
    frames = visitor.run()
    one, two = sorted(forms_of(frames), key=lambda form: form["node_id"])
    pause = RunTeller.pause

    def answer_first(teller, end, forms):
        monkeypatch.setattr(RunTeller, "pause", pause)
        assert Answerer(client, two["form_token"]).submit().status_code == 200
        return pause(teller, end, forms)

    monkeypatch.setattr(RunTeller, "pause", answer_first)
    assert Answerer(client, one["form_token"]).submit().status_code == 200
    went_on = rest(visitor, frames)
    assert events(went_on).count("workflow_paused") == 0
    assert went_on[-1].data["data"]["outputs"] == {"a": "go", "b": "go"}


# Chatflows


def test_the_same_message_goes_on(chatter):
    frames = chatter.ask()
    assert events(frames)[-2:] == ["human_input_required", "workflow_paused"]
    assert "message_end" not in events(frames)
    conversation = frames[0].data["conversation_id"]
    (message,) = chatter.history(conversation)
    assert (message["status"], message["answer"]) == ("paused", "Draft. ")
    somebody(chatter, frames).submit(comment="yes")
    went_on = rest(chatter, frames)
    assert events(went_on)[:2] == ["workflow_started", "human_input_form_filled"]
    assert "message_replace" not in events(went_on)
    assert "".join(frame.data["answer"] for frame in went_on if frame.event == "message") == "You said yes."
    assert events(went_on)[-2:] == ["message_end", "workflow_finished"]
    (message,) = chatter.history(conversation)
    assert (message["status"], message["answer"]) == ("normal", "Draft. You said yes.")


def test_the_history_shows_the_form_that_waits(chatter):
    frames = chatter.ask()
    form = form_of(frames)
    (message,) = chatter.history(frames[0].data["conversation_id"])
    assert message["extra_contents"] == [{
        "type": "human_input", "workflow_run_id": run_id(frames), "submitted": False, "form_submission_data": None, "form_definition": form,
    }]  # fmt: skip


def test_the_history_shows_what_was_answered(chatter):
    frames = chatter.ask()
    somebody(chatter, frames).submit(comment="yes")
    (message,) = chatter.history(frames[0].data["conversation_id"])
    (block,) = message["extra_contents"]
    assert (block["submitted"], block["form_definition"]["form_token"]) == (True, None)
    assert block["form_submission_data"] == {
        "node_id": "ask", "node_title": "ask", "rendered_content": "OK?", "action_id": "go", "action_text": "GO",
        "submitted_data": {"comment": "yes"},
    }  # fmt: skip


def test_the_history_shows_a_form_that_nobody_answered_as_open(chatter):
    frames = chatter.ask()
    age_form(form_of(frames)["form_id"], 37 * 3600)
    expire_forms()
    (message,) = chatter.history(frames[0].data["conversation_id"])
    (block,) = message["extra_contents"]
    assert (block["submitted"], block["form_submission_data"], block["form_definition"]["form_token"]) == (False, None, None)


# Reading on


def test_a_reader_that_waits_hears_the_run_go_on(chatter):
    frames = chatter.ask()
    stream = chatter.client.get(f"/api/workflow/{run_id(frames)}/events", headers=chatter.headers, buffered=False)
    pieces = iter(stream.response)
    assert next(pieces) == b"event: ping\n\n"
    somebody(chatter, frames).submit(comment="yes")
    went_on = parse_frames(b"".join(pieces).decode())
    assert events(went_on)[0] == "workflow_started" and events(went_on)[-1] == "workflow_finished"
    assert went_on[0].data["task_id"] == frames[0].data["task_id"]


def test_a_reader_of_a_run_that_waits_for_ever_is_let_go(chatter, app, monkeypatch):
    frames = chatter.ask()
    monkeypatch.setitem(app.config, "PING_SECONDS", 0.05)
    monkeypatch.setitem(app.config, "STREAM_IDLE_SECONDS", 0.2)
    body = chatter.resume(run_id(frames)).get_data()
    assert 4 <= body.count(b"event: ping\n\n") == len(body) / len(b"event: ping\n\n")


def test_the_snapshot_of_a_paused_run_ends_with_its_forms(chatter):
    frames = chatter.ask()
    body = chatter.resume(run_id(frames), include_state_snapshot="true").get_data(as_text=True)
    assert body.startswith("event: ping\n\n")
    snapshot = parse_frames(body)
    assert events(snapshot) == [
        "workflow_started", "message_replace", "node_started", "node_finished", "node_started", "node_finished", "node_started",
        "human_input_required", "workflow_paused",
    ]  # fmt: skip
    assert snapshot[1].data["answer"] == "Draft. "
    assert form_of(snapshot) == form_of(frames)
    assert snapshot[-1].data["data"] == frames[-1].data["data"]


def test_the_snapshot_serves_when_the_log_is_gone(chatter, redis_db):
    frames = chatter.ask()
    redis_db.flushdb()
    assert events(parse_frames(chatter.resume(run_id(frames), "1").get_data(as_text=True)))[-2:] == ["human_input_required", "workflow_paused"]


def test_a_run_goes_on_when_the_log_is_gone(chatter, redis_db):
    frames = chatter.ask()
    redis_db.flushdb()
    somebody(chatter, frames).submit(comment="yes")
    went_on = rest(chatter, frames)
    assert events(went_on)[0] == "workflow_started" and events(went_on)[-1] == "workflow_finished"
    assert went_on[0].number == frames[-1].number + 1
    (message,) = chatter.history(frames[0].data["conversation_id"])
    assert message["answer"] == "Draft. You said yes."


def test_a_finished_run_is_one_frame(visitor):
    frames = visitor.run(topic="x")
    somebody(visitor, frames).submit(comment="y")
    (last,) = parse_frames(visitor.resume(run_id(frames)).get_data(as_text=True))
    assert last.event == "workflow_finished"


def test_stopping_a_run_that_waits_does_nothing(visitor):
    frames = visitor.run(topic="x")
    answer = visitor.post(f"/workflows/tasks/{frames[0].data['task_id']}/stop")
    assert answer.get_json() == {"result": "success"}
    assert somebody(visitor, frames).submit(comment="y").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["status"] == "succeeded"


# Time


def test_a_form_that_ran_out_is_closed_before_the_clock_comes(visitor):
    frames = visitor.run(topic="x")
    form, person = form_of(frames), somebody(visitor, frames)
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
    assert events(went_on)[:3] == ["workflow_started", "human_input_form_timeout", "node_finished"]
    timeout = went_on[1].data["data"]
    assert (timeout["node_id"], timeout["node_title"]) == ("ask", "ask")
    assert timeout["expiration_time"] == form_of(frames)["expiration_time"] - 3 * 86_400
    assert went_on[-1].data["data"]["outputs"] == {"comment": None, "action": ""}
    assert refusal(somebody(visitor, frames).read()) == (412, "human_input_form_expired")


def test_the_clock_leaves_forms_alone_that_have_time(visitor):
    frames = visitor.run(topic="x")
    expire_forms()
    assert somebody(visitor, frames).read().status_code == 200


def test_the_clock_takes_so_many_at_a_time(visitor):
    for _ in range(3):
        age_form(form_of(visitor.run(topic="x"))["form_id"], 3 * 86_400)
    assert len(form_expiry.expire(now(), most=2)) == 2
    assert len(form_expiry.expire(now(), most=2)) == 1


def test_a_node_that_ran_out_takes_its_branch_when_another_form_is_answered(client):
    both = graph(start(), human("one"), human("two"), end(a=["one", "__action_id"], b=["two", "__action_id"]),
                 "start > one:go > end", "start > two:go > end", "two:__timeout > end")  # fmt: skip
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
    person = somebody(visitor, frames)
    assert refusal(person.read()) == (412, "human_input_form_expired")
    expire_forms()
    (last,) = parse_frames(visitor.resume(run_id(frames)).get_data(as_text=True))
    data = last.data["data"]
    assert (data["status"], data["error"]) == ("stopped", "Human input global timeout at node ask")
    assert data["finished_at"] is not None
    assert execute("SELECT status FROM human_input_forms WHERE id = :id", id=form_of(frames)["form_id"]) == [("expired",)]


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


# Files


FILE = {"type": "file", "output_variable_name": "comment", "allowed_file_types": ["document"], "allowed_file_extensions": [],
        "allowed_file_upload_methods": ["local_file", "remote_url"]}  # fmt: skip


@pytest.fixture
def filer(client):
    """A visitor of a workflow that asks for a document."""
    return WebVisitor(client, asking(inputs=[FILE]))


def mapping(upload_id, kind="document", **more):
    return {"type": kind, "transfer_method": "local_file", "upload_file_id": upload_id} | more


def test_an_upload_token_is_good_until_the_form_ends(filer):
    frames = filer.run()
    answer = somebody(filer, frames).upload_token()
    body = answer.get_json()
    assert (answer.status_code, body["expires_at"]) == (200, form_of(frames)["expiration_time"])
    assert re.fullmatch(r"hitl_upload_[A-Za-z0-9_-]{43}", body["upload_token"])


def test_an_uploaded_file_goes_into_the_answer(filer):
    frames = filer.run()
    person = somebody(filer, frames)
    answer = person.upload({"file": (io.BytesIO(b"hello"), "note.txt", "text/plain")})
    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["name"], body["size"], body["extension"], body["mime_type"]) == ("note.txt", 5, "txt", "text/plain")
    assert person.submit(comment=mapping(body["id"])).status_code == 200
    outputs = rest(filer, frames)[-1].data["data"]["outputs"]
    assert (outputs["comment"]["filename"], outputs["comment"]["related_id"]) == ("note.txt", body["id"])
    assert execute("SELECT form_id::text FROM human_input_files WHERE upload_file_id = :id", id=body["id"]) == [(form_of(frames)["form_id"],)]


def test_the_scheme_is_taken_in_any_case_and_tokens_stay_good(filer):
    person = somebody(filer, filer.run())
    tokens = [person.upload_token().get_json()["upload_token"] for _ in range(2)]
    for token in tokens:
        assert person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token, "bearer").status_code == 201


@pytest.mark.parametrize(
    ("scheme", "token", "status"),
    [("", "x", 401), ("Bearer", "", 401), ("Bearer", "two parts", 401), ("Basic", "hitl_upload_x", 400), ("Bearer", "other_x", 400),
     ("Bearer", "hitl_upload_" + "x" * 43, 403)],
)  # fmt: skip
def test_other_tokens_upload_nothing(client, scheme, token, status):
    answer = Answerer(client, "").upload({"file": (io.BytesIO(b"x"), "a.txt")}, token, scheme)
    assert refusal(answer) == (status, "invalid_upload_token")


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({}, 400, "no_file_uploaded"),
        ({"file": [(io.BytesIO(b"x"), "a.txt"), (io.BytesIO(b"x"), "b.txt")]}, 400, "too_many_files"),
        ({"url": "nonsense"}, 400, "invalid_param"),
        ({"url": "http://127.0.0.1:1/a.txt"}, 400, "remote_file_upload_error"),
    ],
)
def test_what_is_no_file_is_refused(filer, form, status, code):
    assert refusal(somebody(filer, filer.run()).upload(form)) == (status, code)


def test_nothing_is_uploaded_for_a_form_that_was_answered(filer):
    person = somebody(filer, filer.run())
    token = person.upload_token().get_json()["upload_token"]
    upload_id = person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token).get_json()["id"]
    person.submit(comment=mapping(upload_id))
    assert refusal(person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token)) == (412, "human_input_form_submitted")


def test_nothing_is_uploaded_for_a_form_that_ran_out(filer):
    frames = filer.run()
    person = somebody(filer, frames)
    token = person.upload_token().get_json()["upload_token"]
    age_form(form_of(frames)["form_id"], 37 * 3600)
    assert refusal(person.upload({"file": (io.BytesIO(b"x"), "a.txt")}, token)) == (412, "human_input_form_expired")


def test_files_are_those_of_the_runs_visitor(filer, client):
    person = somebody(filer, filer.run())
    other = WebVisitor(client, filer.app).upload().get_json()["id"]
    own = filer.upload().get_json()["id"]
    assert refusal(person.submit(comment=mapping(other))) == (400, "invalid_form_data")
    assert person.submit(comment=mapping(own)).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["text", None, {}, [], {"type": "document"}, mapping("nonsense"), mapping("0198f0a0-0000-7000-8000-000000000001"),
     {"type": "document", "transfer_method": "tool_file", "upload_file_id": "x"}, {"type": "document", "transfer_method": "remote_url"},
     {"type": "image", "transfer_method": "remote_url", "url": "https://example.com/a.png"}],
)  # fmt: skip
def test_what_is_no_file_of_the_form_is_refused(filer, value):
    answer = somebody(filer, filer.run()).submit(comment=value)
    assert refusal(answer) == (400, "invalid_form_data")
    assert answer.get_json()["message"].startswith("Invalid value for file input 'comment': ")


@pytest.mark.parametrize("key", ["url", "remote_url"])
def test_a_file_of_another_server_is_taken_by_its_address(filer, key):
    frames = filer.run()
    value = {"type": "document", "transfer_method": "remote_url", key: "https://example.com/a.pdf"}
    assert somebody(filer, frames).submit(comment=value).status_code == 200
    assert rest(filer, frames)[-1].data["data"]["outputs"]["comment"]["filename"] == "a.pdf"


def test_a_list_of_files_has_a_limit(client):
    visitor = WebVisitor(client, asking(inputs=[FILE | {"type": "file-list", "number_limits": 2}], content="{{#$output.comment#}}"))
    frames = visitor.run()
    person = somebody(visitor, frames)
    assert form_of(frames)["inputs"][0]["number_limits"] == 2
    assert person.read().get_json()["inputs"][0]["number_limits"] == 2
    files = [{"type": "document", "transfer_method": "remote_url", "url": f"https://example.com/{name}.pdf"} for name in "abc"]
    assert person.submit(comment=files).get_json()["message"] == "Invalid value for file list input 'comment': at most 2 files are allowed"
    assert person.submit(comment=files[:2]).status_code == 200
    went_on = rest(visitor, frames)
    assert went_on[1].data["data"]["rendered_content"] == "[2 files]"
    assert [file["filename"] for file in went_on[-1].data["data"]["outputs"]["comment"]] == ["a.pdf", "b.pdf"]


# Nothing leaks


def test_a_visitors_form_is_in_nobody_elses_history(chatter, client):
    frames = chatter.ask()
    other = WebVisitor(client, chatter.app)
    assert other.get("/messages", conversation_id=frames[0].data["conversation_id"]).status_code == 404
    assert other.resume(run_id(frames), include_state_snapshot="true").status_code == 404


def test_only_a_digest_of_an_upload_token_is_kept(filer):
    token = somebody(filer, filer.run()).upload_token().get_json()["upload_token"]
    kept = execute("SELECT token_hash FROM human_input_upload_tokens")
    assert all(token not in row[0] for row in kept)


def test_tokens_are_not_alike(visitor):
    tokens = {form_of(visitor.run(topic="x"))["form_token"] for _ in range(5)}
    assert len(tokens) == 5 and all(len(set(token)) > 8 for token in tokens)
