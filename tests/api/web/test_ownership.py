"""Rows of another end user are not found, of the same app, another one or a private one (contract README §4.5)."""

import pytest

from tests.support.factories import make_app, make_graph_app
from tests.support.logins import Person, app_of_mode, make_account
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start

CHAT = [
    ("get", "/messages?conversation_id={conversation_id}", None, 404),
    ("get", "/messages?conversation_id={conversation_id}&first_id={message_id}", None, 404),
    ("get", "/conversations?last_id={conversation_id}", None, 404),
    ("delete", "/conversations/{conversation_id}", None, 404),
    ("post", "/conversations/{conversation_id}/name", {"name": "Stolen"}, 404),
    ("post", "/conversations/{conversation_id}/name", {"auto_generate": True}, 404),
    ("patch", "/conversations/{conversation_id}/pin", None, 404),
    ("patch", "/conversations/{conversation_id}/unpin", None, 404),
    ("post", "/messages/{message_id}/feedbacks", {"rating": "dislike"}, 404),
    ("get", "/messages/{message_id}/suggested-questions", None, 404),
    ("post", "/chat-messages", {"inputs": {}, "query": "Go on", "conversation_id": "{conversation_id}"}, 404),
    ("post", "/chat-messages/{task_id}/stop", None, 200),
    ("get", "/workflow/{task_id}/events", None, 404),
    ("get", "/workflow/{message_id}/events", None, 404),
]
COMPLETION = [
    ("post", "/messages/{message_id}/feedbacks", {"rating": "dislike"}, 404),
    ("get", "/messages/{message_id}/more-like-this?response_mode=blocking", None, 404),
    ("post", "/saved-messages", {"message_id": "{message_id}"}, 404),
    # Taking away what one has not saved is no error (contract endpoints.md).
    ("delete", "/saved-messages/{message_id}", None, 204),
    ("post", "/completion-messages/{task_id}/stop", None, 200),
    ("get", "/workflow/{task_id}/events", None, 404),
    ("get", "/workflow/{message_id}/events", None, 404),
]

WORKFLOW = [
    ("post", "/workflows/tasks/{task_id}/stop", None, 200),
    ("get", "/workflow/{task_id}/events", None, 404),
    ("get", "/workflow/{workflow_run_id}/events", None, 404),
]


@pytest.fixture
def same_app(client, app):
    def visitors(mode):
        published = make_app(mode, more_like_this={"enabled": True})
        return WebVisitor(client, published), WebVisitor(client, published)

    return visitors


@pytest.fixture
def other_app(client, app):
    return lambda mode: (
        WebVisitor.of_new_app(client, mode=mode),
        WebVisitor.of_new_app(client, mode=mode, more_like_this={"enabled": True}),
    )


@pytest.fixture
def private_app(bound_app, login_on):
    """Two members of one app."""

    def visitors(mode):
        people = [Person(bound_app.test_client(), make_account()) for _ in range(2)]
        private = app_of_mode(
            "private", *(person.email for person in people), app_mode=mode, more_like_this={"enabled": True}
        )
        return [WebVisitor(person.client, private, passport=person.log_in().passport(private)) for person in people]

    return visitors


def attempt_all(stranger, attempts, ids):
    for method, path, body, expected in attempts:
        body = body and {name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()}
        answer = stranger.client.open(f"/api{path.format(**ids)}", method=method, headers=stranger.headers, json=body)
        assert answer.status_code == expected, f"{method} {path}: {answer.get_data(as_text=True)}"
        assert "Mine" not in answer.get_data(as_text=True)


@pytest.mark.parametrize("place", ["same_app", "other_app", "private_app"])
def test_anothers_conversation_is_not_there_and_stays_as_it_is(request, place, model):
    owner, stranger = request.getfixturevalue(place)("chat")
    frame = owner.ask("Mine")[0].data

    def state():
        return owner.history(frame["conversation_id"]), owner.get("/conversations").get_json()["data"]

    before = state()
    attempt_all(stranger, CHAT, frame)
    assert state() == before and before[0]


@pytest.mark.parametrize("place", ["same_app", "other_app", "private_app"])
def test_anothers_text_is_not_there_and_stays_as_it_is(request, place, model):
    owner, stranger = request.getfixturevalue(place)("completion")
    frame = owner.frames(
        owner.post("/completion-messages", {"inputs": {}, "query": "Mine", "response_mode": "streaming"})
    )[0].data
    owner.post("/saved-messages", {"message_id": frame["message_id"]})
    before = owner.get("/saved-messages").get_json()["data"]
    attempt_all(stranger, COMPLETION, frame)
    assert owner.get("/saved-messages").get_json()["data"] == before and before
    assert stranger.get("/saved-messages").get_json()["data"] == []


def test_anothers_run_is_not_there(client, app):
    published = make_graph_app(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"))
    owner, stranger = WebVisitor(client, published), WebVisitor(client, published)
    frame = owner.run(text="Mine")[0].data
    attempt_all(stranger, WORKFLOW, frame)
    assert "Mine" in owner.get(f"/workflow/{frame['workflow_run_id']}/events").get_data(as_text=True)
