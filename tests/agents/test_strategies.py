"""How an agent's model is read, however its text is cut into pieces."""

import pytest

from app.agents.function_call import FunctionCall
from app.agents.react import React
from app.agents.steps import AgentStep, ToolCall
from app.providers.models.chat_types import Chunk, ModelMessage, ModelToolCall
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
    f"Thought: I look.\nAction:\n```json\n{ACTION}\n```\nObservation: hot\nThought: Ah.\nFinal Answer: hot",
    'Thought: I look.\nAction: lookup\nAction Input: {"text": "tea"}\nObservation: hot\nFinal Answer: hot',
    'Thought: I look.\nAction: `lookup`\n\nAction Input:\n```json\n{"text": "tea"}\n```',
    "Thought: I look.\nAction: {'action': 'lookup', 'action_input': {'text': 'tea'},}",
    f"<think>Maybe Final Answer: no</think>\nThought: I look.\n{ACTION}",
    f'Is it {{"action": "draw"}} or so? No.</think>I look.\n{ACTION}',
    f"I look.\n[{ACTION}]",
]
# What the model wrote, and the name of the call in which it ends.
CUT = [
    ('Thought: I look.\nAction:\n```json\n{"action": "lookup", "action_input": {"text": "te', "lookup"),
    ('Thought: I look.\nAction:\n```json\n{"action": "lookup", "action_input": {"text": "tea"}', "lookup"),
    ('Thought: I look.\nAction:\n```json\n{"action": "lookup"', "lookup"),
    ('Thought: I look.\nAction:\n```json\n{"act', "unnamed"),
    ("Thought: I look.\nAction:\n```json\n{", "unnamed"),
    ('I look.\n{"action": "lookup", "action_input": {"action": "draw", "text": "tea"}', "lookup"),
    ('Thought: I look.\nAction: lookup\nAction Input: {"text": "te', "lookup"),
]
# The same, of answers that reached their limit of tokens.
CUT_AT_THE_LIMIT = [
    ("Thought: I look.\nAction: lookup\nAction Input: te", "lookup"),
    ("Thought: I look.\nAction: lookup\nAction Input:", "lookup"),
    ("Thought: I look.\nAction: lookup\nAction Inp", "lookup"),
    ("Thought: I look.\nAction: lookup", "lookup"),
    ("Thought: I look.\nAction:\n```json\n", "unnamed"),
    ("Thought: I look.\nAction:", "unnamed"),
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
    ("<think>Final Answer: no, {</think>Final Answer: It is tea.", "It is tea."),
    ("Final Answer: no.</think>\n\nFinal Answer: It is tea.", "It is tea."),
    ("<think>Hm.</think>\n\nIt is tea.", "It is tea."),
    ('{"action": "Final Answer", "action_input": "It is te', "It is te"),
    ('Final Answer: Write {"action": "lookup"}.', 'Write {"action": "lookup"}.'),
    ('Like:\n```json\n{"a": 1', 'Like:\n```json\n{"a": 1'),
]


def read(strategy, text, size):
    """Return the shown text and the reply of a model's text that arrives in pieces of `size` characters."""
    return read_chunks(strategy, [Chunk(text[start : start + size]) for start in range(0, len(text), size)])


def read_chunks(strategy, chunks):
    """Return the shown text and the reply of a model that sends these chunks."""
    reader = strategy.reader(1)
    changes = [reader.feed(chunk) for chunk in chunks]
    reading, rest = reader.finish()
    said = ""
    for change in [*changes, rest]:
        said = said[: len(said) - change.removed] + change.text
    return said, reading


class TestReact:
    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize("text", CALLS)
    def test_reads_a_call_and_shows_nothing_of_it(self, text, size):
        said, reading = read(React(), text, size)
        assert said == ""
        assert [(call.name, call.input) for call in reading.calls] == [("lookup", {"text": "tea"})]
        assert reading.thought == "I look."

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize(
        ("text", "name", "reason"),
        [
            *((*case, reason) for case in CUT for reason in ("stop", "length")),
            *((*c, "length") for c in CUT_AT_THE_LIMIT),
        ],
    )
    def test_tells_a_call_in_which_the_answer_ends(self, text, name, reason, size):
        pieces = [Chunk(text[start : start + size]) for start in range(0, len(text), size)]
        said, reading = read_chunks(React(), [*pieces, Chunk("", reason)])
        assert [(call.name, call.is_cut) for call in reading.calls] == [(name, True)]
        assert (said, reading.thought) == ("", "I look.")

    def test_runs_a_whole_call_at_the_limit(self):
        _, reading = read_chunks(React(), [Chunk(CALLS[0], "length")])
        assert [call.is_cut for call in reading.calls] == [False]

    def test_thoughts_beside_the_text_are_no_answer(self):
        chunks = [Chunk("", reasoning="Final Answer: no."), Chunk("Final Answer: It is tea.")]
        said, reading = read_chunks(React(), chunks)
        assert (said, reading.thought) == ("It is tea.", "It is tea.")

    def test_takes_back_an_answer_that_was_a_thought(self):
        assert React().reader(1).feed(Chunk("Final Answer: no.")).text == "no."
        assert read(React(), "Final Answer: no.\n</think>\n\nFinal Answer: Tea.", 3)[0] == "Tea."

    @pytest.mark.parametrize("chunks", [1, 2_000])
    @pytest.mark.parametrize(
        "part",
        [
            *"\n {`:",
            "Action:",
            "action input:",
            "Final Answer\n",
            "Action: x\n",
            '{"action": "',
            "```json\n{",
            "Thought: ",
        ],
    )
    def test_a_long_text_of_marks_takes_no_long_time(self, part, chunks):
        # What looks back over all of the text at each mark would not end.
        read_chunks(React(), [Chunk(part * (100_000 // chunks // len(part)))] * chunks)

    @pytest.mark.parametrize("size", [1, 7, 10_000])
    @pytest.mark.parametrize(("text", "answer"), ANSWERS)
    def test_reads_an_answer(self, text, answer, size):
        said, reading = read(React(), text, size)
        assert (said, reading.thought, reading.calls) == (answer, answer, [])

    def test_shows_the_answer_as_it_comes(self):
        reader = React().reader(1)
        pieces = [reader.feed(Chunk(text)).text for text in ("Thought: x\nFinal An", "swer: It", " is", " tea.")]
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
    def test_shows_thoughts_in_think_tags(self):
        chunks = [Chunk("", reasoning="Hm"), Chunk("", reasoning="."), Chunk("It is "), Chunk("tea.")]
        said, reading = read_chunks(FunctionCall(), chunks)
        assert said == reading.thought == "<think>\nHm.\n</think>\n\nIt is tea."

    def test_takes_back_a_text_that_was_a_thought(self):
        chunks = [Chunk("Hm."), Chunk("\n</think>\n\nIt is "), Chunk("tea.")]
        assert read_chunks(FunctionCall(), chunks)[0] == "<think>\nHm.\n</think>\n\nIt is tea."

    def test_reads_its_thoughts_back_to_no_model(self):
        step = AgentStep(
            "1", 1, "<think>Hm.</think>\nI look.", calls=[ToolCall("c", "lookup", "{}", observation="hot")]
        )
        *_, own, _ = FunctionCall().messages([], [step], [LOOKUP])
        assert own.content == "I look."

    @pytest.mark.parametrize("written", ['{"text": "te', "[1]", "tea", ""])
    def test_reads_no_broken_arguments_back_to_the_model(self, written):
        step = AgentStep("1", 1, calls=[ToolCall("c", "lookup", written, observation="failed")])
        *_, own, _ = FunctionCall().messages([], [step], [LOOKUP])
        assert [call.arguments for call in own.tool_calls] == ["{}"]

    @pytest.mark.parametrize(("reason", "is_cut"), [("length", True), ("stop", False), ("tool_calls", False)])
    def test_a_call_that_had_only_a_name_at_the_limit_is_cut(self, reason, is_cut):
        calls = ModelToolCall("a", "lookup", "{}"), ModelToolCall("b", "draw", "")
        _, reading = read_chunks(FunctionCall(), [Chunk("", tool_calls=calls), Chunk("", reason)])
        assert [call.is_cut for call in reading.calls] == [False, is_cut]

    def read(self, *calls):
        reader = FunctionCall().reader(3)
        reader.feed(Chunk("", tool_calls=tuple(ModelToolCall(*call) for call in calls)))
        reading, _ = reader.finish()
        return [(call.id, call.name, call.arguments) for call in reading.calls]

    @pytest.mark.parametrize("ids", [("", ""), ("a", "a")])
    def test_gives_each_call_an_id_of_its_own(self, ids):
        (first, *_), (second, *_) = self.read((ids[0], "lookup", "{}"), (ids[1], "draw", "{}"))
        assert (first, second) == (ids[0] or "call_3_0", "call_3_1")

    def test_gives_a_nameless_call_a_name(self):
        assert self.read(("a", "", "{}")) == [("a", "unnamed", "{}")]
