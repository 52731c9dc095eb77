"""Chatflows and workflows that ask a model (contract streaming.md §4.3 to §4.5)."""

from typing import Any

import pytest

from app.services.reports import run_records
from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, node, start


def llm(*prompts: tuple[str, str], node_id: str = "llm", **data: Any) -> dict[str, Any]:
    model = {"provider": "openai", "name": "scripted", "mode": "chat", "completion_params": {}}
    template = [{"role": role, "text": text} for role, text in prompts]
    return node(node_id, "llm", model=model, prompt_template=template, context={"enabled": False}, **data)


@pytest.fixture
def chatflow(client):
    flow = graph(
        start(),
        llm(("user", "{{#sys.query#}}"), memory={"window": {"enabled": False}}),
        answer("{{#llm.text#}}"),
        "start > llm > answer",
    )
    return WebVisitor(client, make_graph_app(flow, "advanced-chat"))


def test_the_model_s_text_comes_as_it_is_made(chatflow, model):
    model.script("Hel", "lo", delay=0.06)
    frames = chatflow.ask("Hi")
    assert [frame.data["answer"] for frame in frames if frame.event == "message"] == ["Hel", "lo"]
    assert {tuple(frame.data["from_variable_selector"]) for frame in frames if frame.event == "message"} == {
        ("llm", "text")
    }


def test_usage_is_in_the_history(chatflow, model):
    model.script("Hello")
    conversation_id = chatflow.ask("Hi")[-1].data["conversation_id"]
    assert chatflow.history(conversation_id)[0]["metadata"]["usage"]["total_tokens"] > 0


def test_memory_holds_the_thread(chatflow, model):
    model.script("Hello")
    conversation_id = chatflow.ask("Hi")[-1].data["conversation_id"]
    chatflow.ask("And now?", conversation_id=conversation_id)
    said = [(message["role"], message["content"]) for message in model.requests[-1].body["messages"]]
    assert said[-3:] == [("user", "Hi"), ("assistant", "Hello"), ("user", "And now?")] or said[:2] == [
        ("user", "Hi"),
        ("assistant", "Hello"),
    ]


def test_a_workflow_streams_its_outputs(client, model):
    flow = graph(
        start(topic="text-input"),
        llm(("user", "About {{#start.topic#}}")),
        end(text=["llm", "text"], topic=["start", "topic"]),
        "start > llm > end",
    )
    model.script("Cats", " purr")
    frames = WebVisitor(client, make_graph_app(flow)).run(topic="cats")
    assert "".join(frame.data["data"]["text"] for frame in frames if frame.event == "text_chunk") == "Cats purr\ncats"
    assert frames[-1].data["data"]["outputs"] == {"text": "Cats purr", "topic": "cats"}


def test_a_model_that_fails_fails_the_run(chatflow, model):
    model.script(status=401)
    frames = chatflow.ask("Hi")
    data = frames[-2].data["data"]
    assert (frames[-2].event, data["status"]) == ("workflow_finished", "failed")
    message = chatflow.history(frames[-1].data["conversation_id"])[0]
    assert (message["status"], message["error"]) == ("error", data["error"])


def test_a_chatflow_that_fails_tells_its_page_why(chatflow, model):
    model.script(status=401)
    first, finished, last = chatflow.ask("Hi")[-3:]
    assert (first.event, first.data["answer"], finished.event) == ("message", "", "workflow_finished")
    assert first.data["id"] == first.data["message_id"] == last.data["message_id"]
    said = f"Run failed: {finished.data['data']['error']}"
    assert last.data.items() >= {"event": "error", "code": "invalid_param", "status": 400, "message": said}.items()


def test_a_chatflow_that_fails_behind_its_first_words_sends_no_empty_ones(client, model):
    flow = graph(start(), answer("So: ", "first"), llm(), answer("{{#llm.text#}}"), "start > first > llm > answer")
    model.script(status=401)
    frames = WebVisitor(client, make_graph_app(flow, "advanced-chat")).ask()
    assert [frame.data["answer"] for frame in frames if frame.event == "message"] == ["So: "]
    assert [frame.event for frame in frames[-2:]] == ["workflow_finished", "error"]


def test_a_failed_run_is_an_error_in_blocking_mode(chatflow, model):
    model.script(status=401)
    body = chatflow.chat("Hi", response_mode="blocking")
    assert (body.status_code, body.get_json()["code"]) == (400, "invalid_param")
    assert body.get_json()["message"].startswith("Run failed:")


def test_conversation_variables_are_kept_from_message_to_message(client):
    variables = [{"id": "v1", "name": "seen", "value_type": "array[string]", "value": []}]
    keep = node(
        "keep",
        "assigner",
        version="2",
        items=[
            {
                "variable_selector": ["conversation", "seen"],
                "input_type": "variable",
                "operation": "append",
                "value": ["sys", "query"],
            },
        ],
    )
    flow = graph(start(), keep, answer("{{#conversation.seen#}}"), "start > keep > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", conversation_variables=variables))
    conversation_id = visitor.ask("one")[-1].data["conversation_id"]
    frames = visitor.ask("two", conversation_id=conversation_id)
    assert frames[-1].data["data"]["outputs"]["answer"] == "- one\n- two"


def test_secrets_are_covered_in_records(client):
    environment = [{"id": "e1", "name": "key", "value_type": "secret", "value": "s3cret-value"}]
    flow = graph(start(), end(key=["env", "key"]), "start > end")
    visitor = WebVisitor(client, make_graph_app(flow, environment_variables=environment))
    run_id = visitor.run()[0].data["workflow_run_id"]
    details = run_records.show(run_id)
    assert "s3cret-value" not in repr(details) and "********" in repr(details)


def test_a_chatflow_s_conversation_is_named_by_its_model(chatflow, model):
    conversation_id = chatflow.ask("Hi")[-1].data["conversation_id"]
    model.script("A talk")
    answer = chatflow.post(f"/conversations/{conversation_id}/name", {"auto_generate": True})
    assert answer.get_json()["name"] == "A talk"


def test_questions_are_suggested_after_a_chatflow_s_answer(client, model):
    flow = graph(start(), llm(("user", "{{#sys.query#}}")), answer("{{#llm.text#}}"), "start > llm > answer")
    features = {"suggested_questions_after_answer": {"enabled": True}}
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat", features=features))
    message_id = visitor.ask("Hi")[0].data["message_id"]
    model.script('["Why?"]')
    assert visitor.get(f"/messages/{message_id}/suggested-questions").get_json() == {"data": ["Why?"]}


def test_whole_numbers_of_any_size_come_through(client):
    flow = graph(start(number="json_object"), end(number=["start", "number"]), "start > end")
    frames = WebVisitor(client, make_graph_app(flow)).run(number={"big": 10**30})
    assert frames[-1].data["data"]["outputs"] == {"number": {"big": 10**30}}


def thinking(client, mode, version, **features):
    flow = graph(
        start(),
        llm(("user", "Say it."), reasoning_format="separated"),
        answer("{{#llm.text#}}") if mode == "advanced-chat" else end(text=["llm", "text"]),
        f"start > llm > {'answer' if mode == 'advanced-chat' else 'end'}",
    )
    return WebVisitor(client, make_graph_app(flow, mode, version, features=features))


def told_thoughts(frames):
    return [frame.data["data"] for frame in frames if frame.event == "reasoning_chunk"]


def test_a_newer_chatflow_tells_the_thoughts_that_its_text_lacks(client, model):
    model.script("Hello", reasoning=("Hm, ", "so."), delay=0.06)
    frames = thinking(client, "advanced-chat", "0.7.0").ask()
    told = told_thoughts(frames)
    assert "".join(data["reasoning"] for data in told) == "Hm, so."
    assert [data["is_final"] for data in told] == [False] * (len(told) - 1) + [True]
    assert {(data["node_id"], data["message_id"]) for data in told} == {("llm", frames[0].data["message_id"])}
    assert "".join(frame.data["answer"] for frame in frames if frame.event == "message") == "Hello"


def test_a_newer_workflow_tells_them_without_a_message(client, model):
    model.script("<think>Hm.</think>Hello")
    told = told_thoughts(thinking(client, "workflow", "0.7.0").run())
    assert told[0] == {"node_id": "llm", "reasoning": "Hm.", "is_final": False}
    assert told[-1] == {"node_id": "llm", "reasoning": "", "is_final": True}


def test_older_files_and_moderated_apps_tell_no_thoughts(client, model):
    moderated = {
        "enabled": True,
        "type": "keywords",
        "config": {"keywords": "bad", "outputs_config": {"enabled": True, "preset_response": "No."}},
    }
    for visitor in (
        thinking(client, "advanced-chat", "0.6.0"),
        thinking(client, "advanced-chat", "0.7.0", sensitive_word_avoidance=moderated),
    ):
        model.script("Hello", reasoning=("Hm.",))
        assert told_thoughts(visitor.ask()) == []
