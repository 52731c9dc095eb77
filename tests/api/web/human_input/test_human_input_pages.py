"""Forms as their readers see them: the page of a form, the history, streams.

Contract human-input.md §5, §9; streaming.md §9.
"""

import pytest

from app.services.operator import apps
from app.tasks import expire_forms
from tests.support.factories import make_graph_app
from tests.support.people import Answerer, age_form, answerer_of, events, form_of, refusal, rest, run_id
from tests.support.sse import parse_frames
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human, paragraph, variable
from tests.support.workflow.graphs import answer, graph, start


def test_who_has_the_token_sees_the_form(visitor):
    frames = visitor.run(topic="cats")
    answer = answerer_of(visitor, frames).read()
    assert answer.status_code == 200
    body = answer.get_json()
    site = body.pop("site")
    assert body == {
        "form_content": "About cats.\n\nComment: {{#$output.comment#}}",
        "inputs": [paragraph("comment", variable("start", "topic"))],
        "resolved_default_values": {"comment": "cats"},
        "expiration_time": form_of(frames)["expiration_time"],
        "user_actions": [
            {"id": "go", "title": "GO", "button_style": "default"},
            {"id": "no", "title": "NO", "button_style": "default"},
        ],
    }
    assert (site["app_id"], site["end_user_id"], site["site"]["title"]) == (str(visitor.app.id), None, "Graph")


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), ({"a": ["é"]}, '{"a": ["é"]}'), ([1, "b"], '[1, "b"]'), (True, "True")]
)
def test_defaults_are_texts_on_the_page_and_values_in_events(client, value, text):
    inputs = [paragraph("comment", variable("conversation", "kept"))]
    app = make_graph_app(
        graph(start(), human("ask", "go", inputs=inputs), answer("x"), "start > ask:go > answer"),
        "advanced-chat",
        conversation_variables=[{"id": "1", "name": "kept", "value_type": "object", "value": value}],
    )
    visitor = WebVisitor(client, app)
    frames = visitor.ask()
    assert form_of(frames)["resolved_default_values"] == {"comment": value}
    assert answerer_of(visitor, frames).read().get_json()["resolved_default_values"] == {"comment": text}


def test_a_default_without_a_value_is_an_empty_text(visitor):
    frames = visitor.run()
    assert form_of(frames)["resolved_default_values"] == {"comment": None}
    assert answerer_of(visitor, frames).read().get_json()["resolved_default_values"] == {"comment": ""}


@pytest.mark.parametrize("token", ["A" * 22, "short", "x" * 23, "%00" * 7 + "a", "Ä" * 22, "a" * 5000])
def test_an_unknown_token_finds_no_form(client, token):
    answer = Answerer(client, token).read()
    assert answer.get_json() == {"code": "not_found", "message": "Form not found", "status": 404}


def test_tokens_are_case_sensitive(visitor):
    token = form_of(visitor.run(topic="x"))["form_token"]
    assert Answerer(visitor.client, token.swapcase()).read().status_code == 404


def test_a_disabled_site_shows_no_form(visitor):
    person = answerer_of(visitor, visitor.run(topic="x"))
    apps.set_enabled(visitor.app.code, False)
    assert refusal(person.read()) == (403, "forbidden")


def test_a_removed_app_has_no_forms(visitor):
    person = answerer_of(visitor, visitor.run(topic="x"))
    apps.remove(visitor.app.code)
    assert refusal(person.read()) == (404, "not_found")
    assert refusal(person.submit(comment="x")) == (404, "not_found")


def test_a_deleted_conversation_has_no_forms(chatter):
    frames = chatter.ask()
    person = answerer_of(chatter, frames)
    chatter.delete(f"/conversations/{frames[0].data['conversation_id']}")
    assert refusal(person.read()) == refusal(person.submit(comment="x")) == (404, "not_found")


def test_the_31st_request_of_a_kind_in_a_minute_is_refused(visitor):
    person = answerer_of(visitor, visitor.run(topic="x"))
    assert [person.read().status_code for _ in range(31)] == [200] * 30 + [429]
    assert refusal(person.read()) == (429, "web_form_rate_limit_exceeded")
    assert [person.upload_token().status_code for _ in range(31)] == [200] * 30 + [429]
    assert [person.submit("bad", comment="").status_code for _ in range(31)] == [400] * 30 + [429]
    assert Answerer(visitor.client, person.token).read().status_code == 200


def test_unknown_tokens_count_too(client):
    guesser = Answerer(client, "A" * 22)
    assert [guesser.read().status_code for _ in range(31)] == [404] * 30 + [429]


def test_the_same_message_goes_on(chatter):
    frames = chatter.ask()
    assert events(frames)[-2:] == ["human_input_required", "workflow_paused"]
    assert "message_end" not in events(frames)
    conversation = frames[0].data["conversation_id"]
    (message,) = chatter.history(conversation)
    assert (message["status"], message["answer"]) == ("paused", "Draft. ")
    answerer_of(chatter, frames).submit(comment="yes")
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
    assert message["extra_contents"] == [
        {
            "type": "human_input",
            "workflow_run_id": run_id(frames),
            "submitted": False,
            "form_submission_data": None,
            "form_definition": form,
        }
    ]


def test_the_history_shows_what_was_answered(chatter):
    frames = chatter.ask()
    answerer_of(chatter, frames).submit(comment="yes")
    (message,) = chatter.history(frames[0].data["conversation_id"])
    (block,) = message["extra_contents"]
    assert (block["submitted"], block["form_definition"]["form_token"]) == (True, None)
    assert block["form_submission_data"] == {
        "node_id": "ask",
        "node_title": "ask",
        "rendered_content": "OK?",
        "action_id": "go",
        "action_text": "GO",
        "submitted_data": {"comment": "yes"},
    }


def test_the_history_shows_a_form_that_nobody_answered_as_open(chatter):
    frames = chatter.ask()
    age_form(form_of(frames)["form_id"], 37 * 3600)
    expire_forms()
    (message,) = chatter.history(frames[0].data["conversation_id"])
    (block,) = message["extra_contents"]
    assert (block["submitted"], block["form_submission_data"], block["form_definition"]["form_token"]) == (
        False,
        None,
        None,
    )


def test_a_waiting_reader_gets_the_events_after_the_answer(chatter):
    frames = chatter.ask()
    stream = chatter.client.get(f"/api/workflow/{run_id(frames)}/events", headers=chatter.headers, buffered=False)
    pieces = iter(stream.response)
    assert next(pieces) == b"event: ping\n\n"
    answerer_of(chatter, frames).submit(comment="yes")
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
        "workflow_started",
        "message_replace",
        "node_started",
        "node_finished",
        "node_started",
        "node_finished",
        "node_started",
        "human_input_required",
        "workflow_paused",
    ]
    assert snapshot[1].data["answer"] == "Draft. "
    assert form_of(snapshot) == form_of(frames)
    assert snapshot[-1].data["data"] == frames[-1].data["data"]


def test_the_snapshot_serves_when_the_log_is_gone(chatter, redis_db):
    frames = chatter.ask()
    redis_db.flushdb()
    assert events(parse_frames(chatter.resume(run_id(frames), "1").get_data(as_text=True)))[-2:] == [
        "human_input_required",
        "workflow_paused",
    ]


def test_a_run_goes_on_when_the_log_is_gone(chatter, redis_db):
    frames = chatter.ask()
    redis_db.flushdb()
    answerer_of(chatter, frames).submit(comment="yes")
    went_on = rest(chatter, frames)
    assert events(went_on)[0] == "workflow_started" and events(went_on)[-1] == "workflow_finished"
    assert went_on[0].number == frames[-1].number + 1
    (message,) = chatter.history(frames[0].data["conversation_id"])
    assert message["answer"] == "Draft. You said yes."


def test_a_finished_run_is_one_frame(visitor):
    frames = visitor.run(topic="x")
    answerer_of(visitor, frames).submit(comment="y")
    (last,) = parse_frames(visitor.resume(run_id(frames)).get_data(as_text=True))
    assert last.event == "workflow_finished"


def test_stopping_a_run_that_waits_does_nothing(visitor):
    frames = visitor.run(topic="x")
    answer = visitor.post(f"/workflows/tasks/{frames[0].data['task_id']}/stop")
    assert answer.get_json() == {"result": "success"}
    assert answerer_of(visitor, frames).submit(comment="y").status_code == 200
    assert rest(visitor, frames)[-1].data["data"]["status"] == "succeeded"


def test_the_history_of_others_does_not_show_an_end_users_form(chatter, client):
    frames = chatter.ask()
    other = WebVisitor(client, chatter.app)
    assert other.get("/messages", conversation_id=frames[0].data["conversation_id"]).status_code == 404
    assert other.resume(run_id(frames), include_state_snapshot="true").status_code == 404


def test_tokens_are_not_alike(visitor):
    tokens = {form_of(visitor.run(topic="x"))["form_token"] for _ in range(5)}
    assert len(tokens) == 5 and all(len(set(token)) > 8 for token in tokens)
