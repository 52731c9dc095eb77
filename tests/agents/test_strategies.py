"""How an agent's model is read, however its text is cut into pieces."""

import pytest

from app.agents.function_call import FunctionCall
from app.agents.react import React
from app.agents.steps import AgentStep, ToolCall
from app.providers.models.chat_types import Chunk, ModelMessage, ToolCallDelta
from app.tools.tool_types import ToolDescription

LOOKUP = ToolDescription("lookup", "Looks up.", {"type": "object", "properties": {}}, {}, "")
ACTION = '{"action": "lookup", "action_input": {"text": "tea"}}'
CALLS = [
    f"Thought: I look.\nAction:\n```json\n{ACTION}\n```",
    f"Thought: I look.\nAction: {ACTION}",
    f"Thought: I look.\n```\n{ACTION}\n```",
    'Thought: I look.\nAction: lookup\nAction Input: {"text": "tea"}',
    f"Thought: I look.\n{ACTION}}}",
    f"I look.\n\n{ACTION}\nAnd then",
]
ANSWERS = [
    ("Thought: I know.\nFinal Answer: It is tea.", "It is tea."),
    ("It is tea.", "It is tea."),
    ("Thought: It is tea.", "It is tea."),
    ('{"action": "Final Answer", "action_input": "It is tea."}', "It is tea."),
    ('{"action": "final answer", "action_input": {"drink": "tea"}}', '{"drink":"tea"}'),
    ("FINAL ANSWER:\nIt is tea.", "It is tea."),
    ("A set is {1, 2}.\nFinal Answer: It is tea.", "It is tea."),
    ("", ""),
]


def read(strategy, text, size):
    """Return the shown text and the reply of a model's text that arrives in pieces of `size` characters."""
    reader = strategy.reader(1)
    said = [reader.feed(Chunk(text[start : start + size])) for start in range(0, len(text), size)]
    reading, rest = reader.finish()
    return "".join(said) + rest, reading


class TestReact:
    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize("text", CALLS)
    def test_reads_a_call_and_shows_nothing_of_it(self, text, size):
        said, reading = read(React(), text, size)
        assert said == ""
        assert [(call.name, call.input) for call in reading.calls] == [("lookup", {"text": "tea"})]
        assert reading.thought == "I look."

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize(("text", "answer"), ANSWERS)
    def test_reads_an_answer(self, text, answer, size):
        said, reading = read(React(), text, size)
        assert (said, reading.thought, reading.calls) == (answer, answer, [])

    def test_shows_the_answer_as_it_comes(self):
        reader = React().reader(1)
        pieces = [reader.feed(Chunk(text)) for text in ("Thought: x\nFinal An", "swer: It", " is", " tea.")]
        assert pieces == ["", "It", " is", " tea."]

    def test_gives_a_model_its_own_words_back(self):
        _, reading = read(React(), CALLS[1], 100)
        reading.calls[0].observation = "green"
        step = AgentStep("1", 1, reading.thought, written=reading.written, calls=reading.calls)
        *_, own, observed = React().messages([ModelMessage("user", "What?")], [step], [LOOKUP])
        assert (own.role, own.content) == ("assistant", CALLS[1])
        assert (observed.role, observed.content) == ("user", "Observation: green")

    def test_writes_what_another_worker_s_model_said(self):
        step = AgentStep("1", 1, "I look.", calls=[ToolCall("c", "lookup", '{"text": "tea"}', observation="green")])
        *_, own, _ = React().messages([ModelMessage("user", "What?")], [step], [LOOKUP])
        assert (
            own.content == 'Thought: I look.\nAction:\n```json\n{"action":"lookup","action_input":{"text":"tea"}}\n```'
        )

    def test_asks_for_the_answer_where_no_tools_are_left(self):
        step = AgentStep("1", 1, "", calls=[ToolCall("c", "lookup", "{}", observation="green")])
        messages = React().messages([ModelMessage("user", "What?")], [step], [])
        assert "Answer the user now" in messages[-1].text()
        assert React().options([]) == {}


class TestFunctionCall:
    def read(self, *deltas):
        reader = FunctionCall().reader(3)
        for delta in deltas:
            reader.feed(Chunk("", tool_calls=(ToolCallDelta(*delta),)))
        reading, _ = reader.finish()
        return [(call.id, call.name, call.arguments) for call in reading.calls]

    def test_joins_the_pieces_of_each_call(self):
        assert self.read(
            (0, "a", "lookup", '{"te'), (1, "b", "draw", ""), (0, "", "", 'xt": 1}'), (1, "", "", "{}")
        ) == [
            ("a", "lookup", '{"text": 1}'),
            ("b", "draw", "{}"),
        ]

    def test_tells_calls_apart_that_a_server_numbers_alike(self):
        assert self.read((0, "a", "lookup", "{}"), (0, "b", "draw", "{}")) == [
            ("a", "lookup", "{}"),
            ("b", "draw", "{}"),
        ]

    def test_names_calls_that_a_server_leaves_without_an_id(self):
        assert self.read((0, "", "lookup", "{}"), (1, "", "draw", "{}")) == [
            ("call_3_0", "lookup", "{}"),
            ("call_3_1", "draw", "{}"),
        ]

    def test_gives_a_nameless_call_a_name(self):
        assert self.read((0, "a", "", "{}")) == [("a", "unnamed", "{}")]
