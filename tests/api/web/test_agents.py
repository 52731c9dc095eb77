"""Agent apps: rounds of a model and its tools (contract streaming.md §3.1, §4.2; endpoints.md, GET /messages)."""

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import event, text

from app.extensions import autocommit_engine
from app.services.definitions.app_file import AppDefinition
from app.services.process.tool_registry import unresolved
from app.tools.tool_types import ToolAnswer, ToolFile
from tests.support.agents import agent, names, prompt, thoughts, tool
from tests.support.factories import make_graph_app
from tests.support.sse import answer_text
from tests.support.uploads import PNG
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, node, start
from tests.support.workflow.toolbox import CountedTool

NO_ARGUMENTS: Mapping = {"type": "object", "properties": {}}


class TestAnAgent:
    def test_answers_without_tools_where_it_needs_none(self, asker, model, lookup):
        model.script("Hel", "lo")
        frames = asker.ask("Hi")
        assert names(frames) == ["agent_thought", "agent_message", "agent_thought", "message_end"]
        assert answer_text(frames) == "Hello"
        assert lookup.calls == []

    def test_calls_a_tool_and_answers_with_what_it_said(self, asker, model, lookup):
        model.script("Let me see.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("It is ", "tea.")
        frames = asker.ask("What is it?")
        assert lookup.calls == [{"text": "tea"}]
        first, second = thoughts(frames)
        assert (first["position"], first["thought"], first["tool"]) == (1, "Let me see.", "lookup")
        assert json.loads(first["tool_input"]) == {"lookup": {"text": "tea"}}
        assert json.loads(first["observation"]) == {"lookup": "lookup: tea"}
        labels = dict.fromkeys(("zh_Hans", "en_US", "pt_BR", "ja_JP"), "Lookup")
        named = [frame.data for frame in frames if frame.data.get("tool")]
        assert [frame["tool_labels"] for frame in named] == [{"lookup": labels}] * len(named)
        assert (second["position"], second["thought"], second["tool"]) == (2, "It is tea.", "")
        assert answer_text(frames) == "Let me see.\nIt is tea."

    def test_fills_each_thought_step_by_step(self, asker, model):
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        frames = [frame.data for frame in asker.ask() if frame.event == "agent_thought"]
        states = [
            (frame["position"], bool(frame["thought"]), bool(frame["tool"]), bool(frame["observation"]))
            for frame in frames
        ]
        assert states == [
            (1, False, False, False),
            (1, True, True, False),
            (1, True, True, True),
            (2, False, False, False),
            (2, True, False, False),
        ]

    def test_shows_the_model_what_its_tools_are_and_said(self, asker, model):
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        asker.ask("What?")
        (offered,) = model.requests[0].body["tools"]
        assert offered["function"]["name"] == "lookup"
        assert offered["function"]["parameters"]["required"] == ["text"]
        *_, question, called, observed = prompt(model)
        assert question == {"role": "user", "content": "What?"}
        assert called["tool_calls"][0]["function"] == {"name": "lookup", "arguments": '{"text": "tea"}'}
        assert (observed["role"], observed["tool_call_id"], observed["content"]) == (
            "tool",
            called["tool_calls"][0]["id"],
            "lookup: tea",
        )

    def test_counts_the_tokens_of_all_rounds(self, asker, model):
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.", "!")
        conversation = asker.ask()[0].data["conversation_id"]
        (message,) = asker.history(conversation)
        assert message["metadata"]["usage"]["completion_tokens"] == 2 + len(model.requests) - 2

    def test_does_not_block(self, asker):
        for body in ({"response_mode": "blocking"}, {"response_mode": None}):
            answer = asker.chat("Hi", **body)
            assert answer.status_code == 400
            assert answer.get_json()["code"] == "invalid_param"
            assert answer.get_json()["message"] == "Agent Chat App does not support blocking mode"

    def test_keeps_the_author_s_arguments_from_the_model(self, client, house, model, lookup):
        asker = agent(client, tool(tool_parameters={"text": "fixed"}))
        model.script(tool_calls=[("lookup", {"text": "mine", "count": "3"})])
        asker.ask()
        assert lookup.calls == [{"text": "fixed", "count": 3}]
        assert "text" not in model.requests[0].body["tools"][0]["function"]["parameters"]["properties"]

    def test_leaves_out_what_is_switched_off_or_not_there(self, client, house, model):
        asker = agent(
            client,
            tool(),
            tool("other"),
            tool("lookup", enabled=False),
            tool(provider_id="garden", provider_name="garden"),
        )
        asker.ask()
        assert [entry["function"]["name"] for entry in model.requests[0].body["tools"]] == ["lookup"]


@pytest.fixture
def queries(app):
    """Counts the statements of a call."""

    def count(call):
        statements = []
        watch = autocommit_engine(), "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
        event.listen(*watch)
        try:
            call()
        finally:
            event.remove(*watch)
        return len(statements)

    return count


class TestTheHistory:
    def test_shows_what_the_agent_did(self, asker, model):
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        frames = asker.ask()
        (message,) = asker.history(frames[0].data["conversation_id"])
        assert message["answer"] == "Hm.\nTea."
        told = thoughts(frames)
        for shown, frame in zip(message["agent_thoughts"], told, strict=True):
            for name in ("id", "position", "thought", "tool", "tool_input", "tool_labels", "observation"):
                assert shown[name] == frame[name]
            assert shown["message_id"] == message["id"]
            assert shown["chain_id"] is None
            assert shown["files"] == []
            assert isinstance(shown["created_at"], int)

    def test_takes_one_query_for_the_thoughts_of_a_page(self, asker, model, queries):
        conversation = asker.ask()[0].data["conversation_id"]
        asker.history(conversation)
        few = queries(lambda: asker.history(conversation))
        for _ in range(4):
            asker.ask(conversation_id=conversation)
        assert queries(lambda: asker.history(conversation)) == few

    def test_is_what_the_model_reads_in_the_next_turn(self, asker, model):
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        first = asker.ask("What?")[0].data
        asker.ask("And?", conversation_id=first["conversation_id"])
        assert [entry["content"] for entry in prompt(model)][-3:] == ["What?", "Hm.\nTea.", "And?"]


class TestFiles:
    @pytest.fixture
    def asker(self, client, house, model):
        house(CountedTool("draw", lambda *_: ToolAnswer("drawn", [ToolFile("a.png", PNG, "image/png")]), NO_ARGUMENTS))
        return agent(client, tool("draw"))

    def test_that_tools_make_are_told_and_kept(self, asker, model):
        model.script(tool_calls=[("draw", {})])
        model.script("Here.")
        frames = asker.ask()
        (made,) = [frame.data for frame in frames if frame.event == "message_file"]
        assert (made["type"], made["belongs_to"]) == ("image", "assistant")
        (message,) = asker.history(frames[0].data["conversation_id"])
        (shown,) = message["message_files"]
        assert (shown["id"], shown["belongs_to"], shown["mime_type"]) == (made["id"], "assistant", "image/png")
        assert message["agent_thoughts"][0]["files"] == [made["id"]] == thoughts(frames)[0]["message_files"]
        (at_the_end,) = frames[-1].data["files"]
        assert at_the_end["id"] == made["id"]

    def test_can_be_opened(self, asker, model, client):
        model.script(tool_calls=[("draw", {})])
        (made,) = [frame.data for frame in asker.ask() if frame.event == "message_file"]
        assert client.get(made["url"]).data == PNG

    def test_are_not_taken_for_the_end_user_s_own(self, asker, client, house, model):
        upload = {
            "enabled": True,
            "allowed_file_types": ["image"],
            "number_limits": 1,
            "allowed_file_upload_methods": ["local_file"],
        }
        asker = agent(client, tool("draw"), config={"file_upload": upload})
        model.script(tool_calls=[("draw", {})])
        first = asker.ask()[0].data
        asker.ask("And?", conversation_id=first["conversation_id"])
        assert prompt(model)[-1] == {"role": "user", "content": "And?"}


class TestReact:
    @pytest.fixture
    def asker(self, client, house, model):
        return agent(client, strategy="react")

    def test_reads_calls_from_the_text_and_shows_the_answer_alone(self, asker, model, lookup):
        model.script(
            "Thought: I must look.\nAction:\n```json\n",
            '{"action": "lookup", "action_input": {"text": "tea"}}',
            "\n```",
        )
        model.script("Thought: I know.\nFinal ", "Answer: It is", " tea.")
        frames = asker.ask("What?")
        assert lookup.calls == [{"text": "tea"}]
        assert answer_text(frames) == "It is tea."
        assert thoughts(frames)[0]["thought"] == "I must look."
        assert "tools" not in model.requests[0].body
        assert "Observation: lookup: tea" in prompt(model)[-1]["content"]

    def test_a_model_that_just_answers_is_understood(self, asker, model, lookup):
        model.script("It is ", "tea.")
        assert answer_text(asker.ask("What?")) == "It is tea."

    def test_is_what_a_server_without_tools_gets(self, client, house, model, lookup):
        small = {"provider": "openai", "name": "scripted-small", "mode": "chat"}
        asker = agent(client, config={"model": small})
        model.script(status=400, error="tools_refused")
        model.script("I know no tools.")
        model.script('Action: {"action": "lookup", "action_input": {"text": "tea"}}')
        model.script("Final Answer: tea")
        assert answer_text(asker.ask("What?")) == "tea"
        assert len(lookup.calls) == 1

    def test_the_author_s_own_instructions_are_used(self, client, house, model):
        asker = agent(
            client,
            strategy="react",
            prompt={"first_prompt": "Be brief.\n{{instruction}}\n{{tools}}\nOne of {{tool_names}}."},
        )
        asker.ask()
        system = prompt(model)[0]["content"]
        assert system.startswith("Be brief.\nYou are a helpful assistant.\n- lookup: Does lookup.")
        assert system.endswith("One of lookup.")


class TestAStop:
    def test_in_a_tool_keeps_what_there_is(self, client, house, model):
        def stopped(arguments, cancellation):
            with autocommit_engine().connect() as connection:
                task_id = connection.execute(
                    text("SELECT id FROM tasks WHERE app_id = :app_id"), {"app_id": asker.app.id}
                ).scalar_one()
            asker.post(f"/chat-messages/{task_id}/stop")
            cancellation.wait(5)
            return ToolAnswer("too late")

        house(CountedTool("lookup", stopped))
        asker = agent(client)
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert frames[-1].event == "message_end"
        (message,) = asker.history(frames[0].data["conversation_id"])
        assert message["answer"] == "Hm."
        assert message["agent_thoughts"][0]["observation"] == ""


class TestModeration:
    def test_of_the_answer_replaces_it(self, client, house, model):
        settings = {"keywords": "forbidden", "outputs_config": {"enabled": True, "preset_response": "No."}}
        asker = agent(
            client, config={"sensitive_word_avoidance": {"enabled": True, "type": "keywords", "config": settings}}
        )
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("It is for", "bidden.")
        frames = asker.ask()
        assert answer_text(frames) == "No."
        assert asker.history(frames[0].data["conversation_id"])[0]["answer"] == "No."

    def test_of_the_question_asks_no_model(self, client, house, model):
        settings = {"keywords": "forbidden", "inputs_config": {"enabled": True, "preset_response": "No."}}
        asker = agent(
            client, config={"sensitive_word_avoidance": {"enabled": True, "type": "keywords", "config": settings}}
        )
        assert answer_text(asker.ask("Is it forbidden?")) == "No."
        assert model.requests == []


class TestAnAgentNode:
    def test_streams_its_answer_and_tells_what_it_does(self, client, house, model):
        tools = [
            {
                "enabled": True,
                "type": "api",
                "provider_name": "house",
                "tool_name": "lookup",
                "parameters": {},
                "settings": {},
            }
        ]
        given = {
            "model": {"provider": "openai", "model": "scripted", "mode": "chat"},
            "query": "{{#sys.query#}}",
            "instruction": "",
            "tools": tools,
        }
        values = {name: {"type": "constant", "value": value} for name, value in given.items()}
        part = node("agent", "agent", agent_strategy_name="function_calling", agent_parameters=values)
        flow = graph(start(), part, answer("{{#agent.text#}}"), "start > agent > answer")
        visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"))
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        frames = visitor.ask("What?")
        assert answer_text(frames) == "Tea."
        logs = [frame.data for frame in frames if frame.event == "agent_log"]
        assert [log["data"]["label"] for log in logs][:3] == ["ROUND 1", "CALL lookup", "CALL lookup"]
        started = next(
            frame.data["data"]
            for frame in frames
            if frame.event == "node_started" and frame.data["data"]["node_id"] == "agent"
        )
        for log in logs:
            assert set(log["data"]) == {
                "node_execution_id",
                "id",
                "label",
                "parent_id",
                "error",
                "status",
                "data",
                "metadata",
                "node_id",
            }
            assert (log["data"]["node_execution_id"], log["data"]["node_id"]) == (started["id"], "agent")
            assert log["workflow_run_id"] == frames[1].data["workflow_run_id"]

    def test_of_a_tool_that_is_missing_is_named_at_import(self, app):
        tools = [{"enabled": True, "type": "api", "provider_name": "garden", "tool_name": "weed"}]
        values = {
            "model": {"value": {"provider": "openai", "model": "scripted"}},
            "tools": {"value": tools},
            "query": {"value": "x"},
        }
        flow = graph(start(), node("agent", "agent", agent_parameters=values), answer("x"), "start > agent > answer")
        definition = {"app": {"mode": "advanced-chat", "name": "x"}, "workflow": {"graph": flow}}
        (missing,) = unresolved(AppDefinition.read(definition))
        assert missing.startswith("The tool 'weed' of 'garden' is not set up here.")


class TestMeta:
    def test_shows_the_icons(self, client, house, model):
        asker = agent(client)
        assert asker.get("/meta").get_json() == {"tool_icons": {"lookup": "https://tools.example/house.png"}}
