"""POST /completion-messages and its stop (contract endpoints.md; streaming.md §2, §4.1, §7.2)."""

import pytest

from tests.support.sse import find_problem
from tests.support.web_client import WebVisitor

TOPIC = [{"text-input": {"variable": "topic", "label": "Topic", "required": True, "max_length": 10}}]


@pytest.fixture
def writer(client):
    return WebVisitor.of_new_app(client, mode="completion", pre_prompt="Write about {{topic}}.", user_input_form=TOPIC)


def write(visitor, **body):
    return visitor.post("/completion-messages", {"inputs": {"topic": "cats"}, "response_mode": "streaming"} | body)


def test_the_text_is_streamed_without_a_conversation(writer, model):
    model.script("Cats ", "purr.")
    frames = writer.frames(write(writer))
    assert find_problem(frames, "Cats purr.") is None
    assert not [frame for frame in frames if "conversation_id" in frame.data]


def test_the_prompt_itself_is_the_question(writer, model):
    write(writer)
    assert model.requests[-1].body["messages"] == [{"role": "user", "content": "Write about cats."}]


def test_response_mode_absent_means_blocking(writer, model):
    model.script("Purr.")
    body = write(writer, response_mode=None).get_json()
    assert (body["event"], body["mode"], body["answer"]) == ("message", "completion", "Purr.")
    assert "conversation_id" not in body


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({}, "topic is required in input form"),
        ({"topic": "x" * 11}, "topic in input form must be less than 10 characters"),
    ],
)
def test_the_input_form_is_checked(writer, inputs, message):
    answer = write(writer, inputs=inputs)
    assert (answer.status_code, answer.get_json()) == (
        400,
        {"code": "invalid_param", "message": message, "status": 400},
    )


def test_a_chat_app_is_not_a_completion_app(alice):
    answer = write(alice)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not_completion_app")


def test_a_completion_app_is_not_a_chat_app(writer):
    answer = writer.chat()
    assert (answer.status_code, answer.get_json()["code"]) == (400, "not_chat_app")


def test_a_failing_model_ends_the_stream_with_an_error(writer, model):
    (frame,) = writer.frames(write(writer, query="[[fail:500]]"))
    assert (frame.data["event"], frame.data["code"]) == ("error", "completion_request_error")
    assert "conversation_id" not in frame.data


@pytest.mark.parametrize("path", ["/completion-messages/{}/stop", "/chat-messages/{}/stop"])
def test_a_stop_of_an_ended_task_depends_on_the_mode_alone(writer, path):
    answer = writer.post(path.format("rubbish"))
    assert answer.status_code == (200 if "completion" in path else 400)


def test_a_reloaded_page_gets_the_whole_text(writer):
    frames = writer.frames(write(writer))
    assert writer.frames(writer.resume(frames[0].data["message_id"])) == frames


def test_more_like_this_asks_again_and_warmer(client, model):
    visitor = WebVisitor.of_new_app(
        client,
        mode="completion",
        pre_prompt="Write about {{topic}}.",
        user_input_form=TOPIC,
        more_like_this={"enabled": True},
    )
    message_id = write(visitor, response_mode="blocking").get_json()["id"]
    body = visitor.get(f"/messages/{message_id}/more-like-this", response_mode="blocking").get_json()
    first, second = model.requests[-2:]
    assert body["id"] != message_id and body["mode"] == "completion"
    assert second.body["messages"] == first.body["messages"]
    assert second.body["temperature"] == 0.9


def test_more_like_this_streams_as_events(client):
    visitor = WebVisitor.of_new_app(client, mode="completion", user_input_form=TOPIC, more_like_this={"enabled": True})
    message_id = write(visitor, response_mode="blocking").get_json()["id"]
    answer = visitor.get(f"/messages/{message_id}/more-like-this", response_mode="streaming")
    assert answer.mimetype == "text/event-stream"
    assert find_problem(visitor.frames(answer)) is None


def test_more_like_this_is_refused_where_it_is_off(writer):
    message_id = write(writer, response_mode="blocking").get_json()["id"]
    answer = writer.get(f"/messages/{message_id}/more-like-this", response_mode="blocking")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "app_more_like_this_disabled")


def test_more_like_this_needs_a_response_mode(writer):
    message_id = write(writer, response_mode="blocking").get_json()["id"]
    assert writer.get(f"/messages/{message_id}/more-like-this").get_json()["code"] == "invalid_param"


def test_more_like_anothers_message_does_not_exist(client, writer):
    stranger = WebVisitor(client, writer.app)
    message_id = write(writer, response_mode="blocking").get_json()["id"]
    answer = stranger.get(f"/messages/{message_id}/more-like-this", response_mode="blocking")
    assert (answer.status_code, answer.get_json()["message"]) == (404, "Message Not Exists.")
