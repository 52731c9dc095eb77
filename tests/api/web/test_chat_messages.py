"""POST /chat-messages and its stop (contract endpoints.md; streaming.md §1–§8)."""

import uuid

import pytest

from app.extensions import db
from tests.support.sse import answer_text, find_problem

REFUSED = [
    ({"inputs": {}}, 400, "invalid_param"),
    ({"query": "Hi"}, 400, "invalid_param"),
    ({"inputs": [], "query": "Hi"}, 400, "invalid_param"),
    ({"inputs": {}, "query": ""}, 400, "invalid_param"),
    ({"inputs": {}, "query": 5}, 400, "invalid_param"),
    ({"inputs": {}, "query": "Hi", "response_mode": "bogus"}, 400, "invalid_param"),
    ({"inputs": {}, "query": "Hi", "conversation_id": "abc"}, 400, "invalid_param"),
    ({"inputs": {}, "query": "Hi", "parent_message_id": "abc"}, 400, "invalid_param"),
    ({"inputs": {}, "query": "Hi", "files": ["x"]}, 400, "invalid_param"),
    ({"inputs": {}, "query": "Hi", "conversation_id": str(uuid.uuid4())}, 404, "not_found"),
    ([1], 400, "invalid_param"),
    ("text", 400, "invalid_param"),
]


def test_the_answer_is_streamed(alice, model):
    model.script("Hel", "lo", "!")
    answer = alice.chat("Hi")
    frames = alice.ask("Hi")
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert find_problem(frames) is None


def test_every_frame_names_conversation_message_and_task(alice, model):
    model.script("Hello")
    frames = alice.ask()
    for key in ("conversation_id", "message_id", "task_id"):
        assert len({frame.data[key] for frame in frames}) == 1
    first = frames[0].data
    assert first["id"] == first["message_id"]
    assert first["from_variable_selector"] is None
    assert isinstance(first["created_at"], int)


def test_message_end_hides_the_usage(alice, model):
    model.script("Hello")
    end = alice.ask()[-1].data
    assert end["event"] == "message_end"
    assert end["metadata"] == {"retriever_resources": []}


def test_a_query_is_as_long_as_the_installation_allows(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "QUERY_CHARACTERS", 5)
    assert alice.chat("äöüßé").status_code == 200
    refused = alice.chat("äöüßéx")
    assert (refused.status_code, refused.get_json()["code"]) == (400, "invalid_param")
    assert alice.get("/conversations").get_json()["data"][1:] == []


def test_response_mode_absent_means_blocking(alice, model):
    model.script("Hel", "lo")
    body = alice.post("/chat-messages", {"inputs": {}, "query": "Hi"}).get_json()
    assert (body["event"], body["mode"], body["answer"]) == ("message", "chat", "Hello")
    assert body["id"] == body["message_id"]
    assert body["metadata"] == {"retriever_resources": []}


def test_the_answer_is_in_the_history(alice, model):
    model.script("Hel", "lo")
    frames = alice.ask("How are you?")
    (message,) = alice.history(frames[0].data["conversation_id"])
    assert (message["id"], message["query"], message["answer"]) == (
        frames[0].data["message_id"],
        "How are you?",
        "Hello",
    )
    assert (message["status"], message["error"]) == ("normal", None)
    assert message["metadata"]["usage"]["total_tokens"] > 0


def test_a_new_conversation_is_named_after_its_query(alice, model):
    alice.ask("What is the meaning of life?")
    (conversation,) = alice.get("/conversations").get_json()["data"]
    assert conversation["name"] == "What is the meaning …"


def test_a_conversation_goes_on_and_the_model_sees_the_thread(alice, model):
    model.script("One")
    first = alice.ask("Say one")[0].data
    alice.ask("Say two", conversation_id=first["conversation_id"], parent_message_id=first["message_id"])
    assert [(message["role"], message["content"]) for message in model.requests[-1].body["messages"]][-3:] == [
        ("user", "Say one"),
        ("assistant", "One"),
        ("user", "Say two"),
    ]


def test_without_a_word_on_the_parent_the_latest_message_is_followed(alice, model):
    first = alice.ask("Say one")[0].data
    alice.ask("Say two", conversation_id=first["conversation_id"])
    contents = [message["content"] for message in model.requests[-1].body["messages"]]
    assert "Say one" in contents
    assert alice.history(first["conversation_id"])[1]["parent_message_id"] is None


def test_a_null_parent_begins_a_new_thread(alice, model):
    first = alice.ask("Say one")[0].data
    alice.ask("Say two", conversation_id=first["conversation_id"], parent_message_id=None)
    assert "Say one" not in [message["content"] for message in model.requests[-1].body["messages"]]


def test_only_the_branch_of_the_parent_counts(alice, model):
    root = alice.ask("Root")[0].data
    inside = {"conversation_id": root["conversation_id"]}
    alice.ask("Left", parent_message_id=root["message_id"], **inside)
    alice.ask("Right", parent_message_id=root["message_id"], **inside)
    contents = [message["content"] for message in model.requests[-1].body["messages"]]
    assert "Root" in contents and "Left" not in contents


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
def test_a_bad_payload_is_refused_and_nothing_is_stored(alice, body, status, code):
    answer = alice.post("/chat-messages", body)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert alice.get("/conversations").get_json()["data"] == []


def test_malformed_json_is_a_bad_request(alice):
    answer = alice.client.post(
        "/api/chat-messages", headers=alice.headers, data="{nope", content_type="application/json"
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_request")


def test_another_content_type_is_refused(alice):
    answer = alice.client.post("/api/chat-messages", headers=alice.headers, data="query=Hi")
    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type")


def test_another_end_users_conversation_does_not_exist(alice, bob, charlie):
    conversation_id = alice.ask()[0].data["conversation_id"]
    for stranger in (bob, charlie):
        answer = stranger.chat(conversation_id=conversation_id)
        assert (answer.status_code, answer.get_json()["message"]) == (404, "Conversation Not Exists.")


def test_nul_characters_are_taken_out(alice, model):
    frames = alice.ask("Hi\0 there")
    assert alice.history(frames[0].data["conversation_id"])[0]["query"] == "Hi there"


@pytest.mark.parametrize("failure", ["401", "429", "500", "503"])
def test_a_failing_model_ends_the_stream_with_an_error(alice, model, failure):
    frames = alice.ask(f"[[fail:{failure}]]")
    assert [frame.event for frame in frames] == ["error"]
    assert (frames[0].data["code"], frames[0].data["status"]) == ("completion_request_error", 400)
    assert "task_id" not in frames[0].data


def test_a_failing_model_is_an_http_error_in_blocking_mode(alice, model):
    answer = alice.chat("[[fail:500]]", response_mode="blocking")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "completion_request_error")


@pytest.mark.parametrize("marker", ["[[fail-after:2]]", "[[cut:2]]", "[[error-frame:2]]"])
def test_an_answer_that_breaks_off_is_a_failure(alice, model, marker):
    frames = alice.ask(marker)
    assert frames[-1].event == "error"
    (message,) = alice.history(frames[-1].data["conversation_id"])
    assert message["status"] == "error"
    assert message["error"] == frames[-1].data["message"]
    assert message["answer"] == answer_text(frames)


def test_an_answer_without_a_word_is_told_as_one(alice, model):
    model.script("")
    frames = alice.ask()
    assert [frame.event for frame in frames] == ["error"]
    assert frames[0].data["message"] == "The model ended its answer without saying anything."


def test_no_connection_is_held_while_an_answer_streams(alice, app, model):
    response = alice.client.post(
        "/api/chat-messages",
        headers=alice.headers,
        json={"inputs": {}, "query": "Hi", "response_mode": "streaming"},
        buffered=False,
    )
    held = {sum(engine.pool.checkedout() for engine in db.engines.values()) for _ in response.iter_encoded()}
    assert held == {0}


def test_a_stop_is_always_a_success(alice):
    for task_id in (str(uuid.uuid4()), "rubbish"):
        answer = alice.post(f"/chat-messages/{task_id}/stop")
        assert (answer.status_code, answer.get_json()) == (200, {"result": "success"})


def test_a_megabyte_is_a_question_where_no_length_is_set(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "QUERY_CHARACTERS", 0)
    query = "word " * 200_000
    frames = alice.ask(query)
    assert frames[-1].event == "message_end"
    assert alice.history(frames[0].data["conversation_id"])[0]["query"] == query


def test_a_body_without_end_is_refused(alice):
    body = b'{"inputs": {}, "query": "' + b"x" * 15_000_000 + b'"}'
    answer = alice.client.post("/api/chat-messages", headers=alice.headers, data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "request_entity_too_large")
    assert alice.get("/conversations").get_json()["data"] == []


def test_a_message_needs_a_passport(client):
    answer = client.post("/api/chat-messages", json={"inputs": {}, "query": "Hi"})
    assert (answer.status_code, answer.get_json()["message"]) == (401, "App token is missing.")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="api"'
