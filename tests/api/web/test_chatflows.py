"""POST /chat-messages for chatflows (contract streaming.md §4.4, §7.3)."""

import pytest

from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, start


@pytest.fixture
def parrot(client):
    """An end user of a chatflow that repeats the query."""
    flow = graph(start(), answer("{{#sys.dialogue_count#}}: {{#sys.query#}}"), "start > answer")
    return WebVisitor(client, make_graph_app(flow, "advanced-chat"))


def test_an_answer_is_streamed(parrot):
    frames = parrot.ask("Hi")
    names = [frame.event for frame in frames]
    assert (names[0], names[-2:]) == ("workflow_started", ["message_end", "workflow_finished"])
    assert "".join(frame.data["answer"] for frame in frames if frame.event == "message") == "1: Hi"
    assert frames[-1].data["data"]["outputs"] == {"answer": "1: Hi", "files": []}


def test_frames_carry_the_message_s_ids_too(parrot):
    frames = [frame.data for frame in parrot.ask("Hi") if frame.data]
    assert all(frame.keys() >= {"conversation_id", "message_id", "created_at", "task_id"} for frame in frames)
    assert frames[0]["workflow_run_id"] == frames[-1]["workflow_run_id"] == frames[-1]["data"]["id"]


def test_a_blocking_answer_is_one_body(parrot):
    body = parrot.chat("Hi", response_mode="blocking").get_json()
    assert (body["event"], body["mode"], body["answer"]) == ("message", "advanced-chat", "1: Hi")


def test_the_answer_is_in_the_history(parrot):
    first = parrot.chat("Hi", response_mode="blocking").get_json()
    parrot.chat("Ho", response_mode="blocking", conversation_id=first["conversation_id"])
    history = parrot.history(first["conversation_id"])
    assert [(message["query"], message["answer"], message["status"]) for message in history] == [
        ("Hi", "1: Hi", "normal"),
        ("Ho", "2: Ho", "normal"),
    ]


def test_a_reloaded_page_continues_by_message_id(parrot):
    frames = parrot.ask("Hi")
    again = parrot.frames(parrot.resume(frames[0].data["message_id"]))
    assert [frame.event for frame in again] == ["workflow_finished"]


def test_moderated_input_is_answered_without_a_run(client):
    rules = {
        "enabled": True,
        "type": "keywords",
        "config": {
            "keywords": "bad",
            "inputs_config": {"enabled": True, "preset_response": "No."},
            "outputs_config": {"enabled": False},
        },
    }
    flow = graph(start(), answer("{{#sys.query#}}"), "start > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", features={"sensitive_word_avoidance": rules}))
    frames = visitor.ask("a bad word")
    assert [frame.event for frame in frames] == ["message", "message_end"]
    assert frames[0].data["answer"] == "No."


def test_moderated_output_is_replaced(client):
    rules = {
        "enabled": True,
        "type": "keywords",
        "config": {
            "keywords": "bad",
            "inputs_config": {"enabled": False},
            "outputs_config": {"enabled": True, "preset_response": "No."},
        },
    }
    flow = graph(start(), answer("a bad word"), "start > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", features={"sensitive_word_avoidance": rules}))
    frames = visitor.ask()
    replaced = [frame.data for frame in frames if frame.event == "message_replace"]
    assert [(frame["answer"], frame["reason"]) for frame in replaced] == [("No.", "output_moderation")]
    assert frames[-1].data["data"]["outputs"]["answer"] == "No."
    assert visitor.history(replaced[0]["conversation_id"])[0]["answer"] == "No."
