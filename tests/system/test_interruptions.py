"""Answers that end early: the end user stops them or leaves, the model fails or is gone."""

import pytest

from tests.support.sse import numbered_text
from tests.support.stack import Stack
from tests.support.visitor import Visitor, wait_until

ENDLESS = "[[chunks:2000]][[delay:20]]"


def test_stop_closes_the_models_connection_and_keeps_the_partial_answer(
    stack: Stack, visitor: Visitor, mark: str
) -> None:
    stream = visitor.chat(f"{mark} {ENDLESS}").wait_for_frames(10)

    answer = visitor.stop(stream.frames[0].data["task_id"])
    stream.wait_for_end(5)
    wait_until(lambda: stack.model_requests()[-1]["closed_early"], 3, "the model's connection to be closed")

    assert (answer.status_code, answer.json()) == (200, {"result": "success"})
    assert stream.events.count("message_end") == 1 and stream.events[-1] == "message_end"
    # The whole answer takes 40 seconds; the waits above end long before.
    assert stream.text and numbered_text(2000).startswith(stream.text) and stream.text != numbered_text(2000)
    stored = visitor.messages(stream.frames[0].data["conversation_id"])[0]
    assert (stored["answer"], stored["status"], stored["error"]) == (stream.text, "normal", None)


def test_stop_is_heard_while_the_model_says_nothing(visitor: Visitor) -> None:
    stream = visitor.chat("[[hang-after:3]]").wait_for_frames(1)

    visitor.stop(stream.frames[0].data["task_id"])
    stream.wait_for_end(5)

    # Without the stop the model says nothing for ever, and no end comes within the wait.
    assert stream.events[-1] == "message_end"


def test_strangers_stop_has_no_effect(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:50]][[delay:20]]").wait_for_frames(3)

    answer = Visitor(stack.base_url, "chat").stop(stream.frames[0].data["task_id"])
    stream.wait_for_end()

    assert answer.status_code == 200
    assert stream.text == numbered_text(50)


def test_answer_is_finished_and_stored_for_a_client_that_left(visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:60]][[delay:20]]").wait_for_frames(3)

    stream.leave()

    wait_until(lambda: visitor.stored_answer(stream.frames[0]) == numbered_text(60), 10, "the whole stored answer")


def test_history_shows_the_answer_so_far(visitor: Visitor) -> None:
    stream = visitor.chat("[[chunks:100]][[delay:30]]").wait_for_frames(10)

    so_far = visitor.stored_answer(stream.frames[0])
    stream.wait_for_end()

    assert so_far and numbered_text(100).startswith(so_far) and so_far != numbered_text(100)


@pytest.mark.parametrize(
    "query", ["[[fail:429]]", "[[fail:401]]", "[[fail:500]]", "[[fail-after:5]]", "[[error-frame:5]]"]
)
def test_failing_model_ends_the_stream_with_its_error(visitor: Visitor, query: str) -> None:
    stream = visitor.chat(query).wait_for_end()

    error = stream.frames[-1].data
    assert stream.events.count("error") == 1 and "message_end" not in stream.events
    assert (error["event"], error["status"]) == ("error", 400)
    assert error["code"] in ("completion_request_error", "provider_quota_exceeded")
    assert visitor.messages(error["conversation_id"])[0]["status"] == "error"


def test_model_server_that_is_gone_is_an_error_and_comes_back(stack: Stack, visitor: Visitor) -> None:
    assert stack.model is not None
    stack.model.kill()
    try:
        failed = visitor.chat("hi").wait_for_end()
    finally:
        stack.start_model()
    again = visitor.chat("[[say:fine]]").wait_for_end()

    assert failed.events == ["error"]
    assert failed.frames[0].data["code"] == "completion_request_error"
    assert again.text == "fine"


def test_model_killed_in_mid_answer_is_an_error(stack: Stack, visitor: Visitor) -> None:
    stream = visitor.chat(ENDLESS).wait_for_frames(5)
    assert stack.model is not None
    stack.model.kill()
    try:
        stream.wait_for_end()
    finally:
        stack.start_model()

    assert stream.frames[-1].data["code"] == "completion_request_error"
    assert visitor.stored_answer(stream.frames[0]) == stream.text
