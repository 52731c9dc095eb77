"""Agents whose model or tools fail or misbehave."""

import json

import pytest

from app.tools.tool_types import ToolAnswer, ToolFailed
from tests.support.agents import agent, prompt, thoughts, tool
from tests.support.sse import answer_text
from tests.support.workflow.toolbox import CountedTool


class TestTheModel:
    def test_an_unknown_tool_is_an_observation(self, asker, model, lookup):
        model.script(tool_calls=[("teleport", {"to": "Rome"})])
        model.script("I cannot.")
        frames = asker.ask()
        assert json.loads(thoughts(frames)[0]["observation"])["teleport"].startswith(
            "There is no tool 'teleport'. The tools are: lookup"
        )
        assert answer_text(frames) == "I cannot."

    @pytest.mark.parametrize("written", ["not json", "[1, 2]", '"text"', "42"])
    def test_an_input_that_is_no_object_is_an_observation(self, asker, model, lookup, written):
        model.script(tool_calls=[("lookup", written)])
        model.script("Sorry.")
        frames = asker.ask()
        assert "must be a JSON object" in thoughts(frames)[0]["observation"]
        assert lookup.calls == []

    @pytest.mark.parametrize("written", ["{'text': 'tea',}", '{text: "tea"}', '"{\\"text\\": \\"tea\\"}"'])
    def test_json_that_is_nearly_right_is_mended(self, asker, model, lookup, written):
        model.script(tool_calls=[("lookup", written)])
        asker.ask()
        assert lookup.calls == [{"text": "tea"}]

    def test_a_missing_argument_is_an_observation(self, asker, model, lookup):
        model.script(tool_calls=[("lookup", {"count": 1})])
        frames = asker.ask()
        assert "'text' is a required property" in thoughts(frames)[0]["observation"]
        assert lookup.calls == []

    def test_two_tools_at_once_are_both_called(self, client, house, model, lookup):
        search = CountedTool("search")
        house(lookup, search)
        asker = agent(client, tool(), tool("search"))
        model.script(tool_calls=[("lookup", {"text": "a"}), ("search", {"text": "b"})])
        frames = asker.ask()
        (first, _) = thoughts(frames)
        assert first["tool"] == "lookup;search"
        assert json.loads(first["observation"]) == {"lookup": "lookup: a", "search": "search: b"}
        assert [message["tool_call_id"] for message in prompt(model) if message["role"] == "tool"] == [
            "call_0",
            "call_1",
        ]

    def test_calling_for_ever_ends_at_the_limit_with_an_answer(self, client, house, model, lookup):
        asker = agent(client, max_iteration=3)
        frames = asker.ask(" ".join(['[[call:lookup {"text": "again"}]]'] * 50))
        assert len(lookup.calls) == 3
        assert "tools" not in model.requests[-1].body
        assert frames[-1].event == "message_end"

    def test_a_call_in_the_text_of_the_last_round_leaves_its_thought(self, client, house, model, lookup):
        asker = agent(client, strategy="react", max_iteration=1)
        for _ in range(2):
            model.script('Thought: I look.\nAction: {"action": "lookup", "action_input": {"text": "tea"}}')
        assert answer_text(asker.ask()) == "I look."
        assert len(lookup.calls) == 1

    def test_a_call_in_the_round_without_tools_is_not_made(self, client, house, model, lookup):
        asker = agent(client, max_iteration=1)
        for _ in range(2):
            model.script("Again.", tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert len(lookup.calls) == 1
        assert frames[-1].event == "message_end"

    def test_a_failing_tool_is_an_observation(self, client, house, model):
        def fail(arguments, cancellation):
            raise ToolFailed("out of tea")

        house(CountedTool("lookup", fail))
        asker = agent(client)
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        model.script("There is none.")
        frames = asker.ask()
        assert json.loads(thoughts(frames)[0]["observation"]) == {"lookup": "lookup failed: out of tea"}
        assert answer_text(frames) == "There is none."

    @pytest.mark.parametrize("nested", [{"a": 2**70}, json.loads('{"a":' * 400 + "1" + "}" * 400)])
    def test_an_answer_that_is_no_json_is_an_observation(self, client, house, model, nested):
        house(CountedTool("lookup", lambda arguments, cancellation: ToolAnswer("", json=[nested])))
        asker = agent(client)
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        model.script("Sorry.")
        frames = asker.ask()
        assert "cannot be written as JSON" in thoughts(frames)[0]["observation"]
        assert answer_text(frames) == "Sorry."

    def test_a_broken_tool_tells_the_model_nothing_of_its_inside(self, client, house, model):
        def fail(arguments, cancellation):
            raise RuntimeError("secret-host:5432")

        house(CountedTool("lookup", fail))
        asker = agent(client)
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert json.loads(thoughts(frames)[0]["observation"]) == {"lookup": "lookup failed."}

    def test_a_flood_is_cut(self, client, house, model):
        house(CountedTool("lookup", lambda arguments, cancellation: ToolAnswer("x" * 1_000_000)))
        asker = agent(client)
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert len(thoughts(frames)[0]["observation"]) < 50_000

    @pytest.mark.parametrize("text", ["a\0b", "\ud800", "\U0001f600"])
    def test_strange_characters_are_no_fault(self, client, house, model, text):
        house(CountedTool("lookup", lambda arguments, cancellation: ToolAnswer(text)))
        asker = agent(client)
        model.script(tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert frames[-1].event == "message_end"
        assert len(asker.history(frames[0].data["conversation_id"])[0]["agent_thoughts"]) == 2

    def test_a_model_that_fails_ends_the_answer_with_its_error(self, asker, model):
        model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
        model.script(status=500)
        model.script(status=500)
        model.script(status=500)
        frames = asker.ask()
        assert frames[-1].event == "error"
        (message,) = asker.history(frames[0].data["conversation_id"])
        assert message["status"] == "error"
        assert json.loads(message["agent_thoughts"][0]["observation"]) == {"lookup": "lookup: tea"}


class TestACallThatIsCutOff:
    @pytest.mark.parametrize("finish", ["length", "stop", "tool_calls"])
    def test_is_not_made_and_the_model_is_told(self, asker, model, lookup, finish):
        model.script(tool_calls=[("lookup", '{"text": "tea and')], finish=finish)
        model.script("I try again.", tool_calls=[("lookup", {"text": "tea"})])
        frames = asker.ask()
        assert lookup.calls == [{"text": "tea"}]
        assert "cut off" in json.loads(thoughts(frames)[0]["observation"])["lookup"]
        (told,) = [message for message in model.requests[1].body["messages"] if message["role"] == "tool"]
        assert told["content"].startswith("The call was cut off before its input was complete")

    @pytest.mark.parametrize("written", ['{"text": "tea and', '{"text": "tea"}'])
    def test_by_a_stream_that_just_ends_fails_the_answer(self, asker, model, lookup, written):
        model.script("I look.", tool_calls=[("lookup", written)], cut_after=1)
        frames = asker.ask()
        assert (lookup.calls, len(model.requests)) == ([], 1)
        assert (frames[-1].event, frames[-1].data["message"]) == (
            "error",
            "The model's answer was cut off or could not be read.",
        )

    def test_leaves_the_whole_ones_before_it(self, asker, model, lookup):
        model.script(tool_calls=[("lookup", {"text": "tea"}), ("lookup", '{"text": "cof')], finish="length")
        frames = asker.ask()
        assert lookup.calls == [{"text": "tea"}]
        assert thoughts(frames)[0]["tool"] == "lookup;lookup"

    @pytest.mark.parametrize(
        "written",
        [
            'Thought: I look.\nAction:\n```json\n{"action": "lookup", "action_input": {"text": "tea and',
            'Thought: I look.\nAction:\n```json\n{"action": "lookup", "action_input": {"text": "tea"',
            'Thought: I look.\nAction: lookup\nAction Input: {"text": "tea',
            "Thought: I look.\nAction: lookup",
        ],
    )
    def test_in_the_text_is_not_made_either(self, client, house, model, lookup, written):
        asker = agent(client, strategy="react")
        model.script(written, finish="length")
        model.script("Final Answer: tea")
        frames = asker.ask()
        assert (lookup.calls, answer_text(frames)) == ([], "tea")
        assert model.requests[1].body["messages"][-1]["content"].startswith("Observation: The call was cut off")
