"""`agent`: a model that calls tools inside a graph (contract dsl.md §3.7; streaming.md §3.3, `agent_log`)."""

import dataclasses
from typing import Any

import pytest

from app.tools.tool_types import ToolAnswer, ToolFailed, ToolFile
from app.workflow.contracts import events
from app.workflow.engine.graph import build
from app.workflow.failures import GraphInvalid
from app.workflow.values.files import File
from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start
from tests.support.workflow.model_services import MODEL, Conversation, sent, services_with
from tests.support.workflow.toolbox import CountedTool, Toolbox

CHOICE = {
    "provider": "langgenius/openai/openai",
    "model": "tiny",
    "mode": "chat",
    "model_type": "llm",
    "completion_params": {},
}
TOOL = {
    "enabled": True,
    "type": "builtin",
    "provider_name": "house",
    "tool_name": "lookup",
    "parameters": {},
    "settings": {},
}


def agent(strategy: str = "function_calling", **parameters: Any) -> dict[str, Any]:
    given = {"model": CHOICE, "query": "{{#start.query#}}", "instruction": "Be kind.", "tools": [TOOL]} | parameters
    values = {name: {"type": "constant", "value": value} for name, value in given.items()}
    return node(
        "agent",
        "agent",
        agent_strategy_name=strategy,
        agent_strategy_provider_name="langgenius/agent/agent",
        agent_parameters=values,
    )


def run_agent(
    model: Any,
    *tools: CountedTool,
    part: dict[str, Any] | None = None,
    kept: dict[str, Any] | None = None,
    **services: Any,
) -> RunRecord:
    definition = graph(
        start(query="text-input"),
        part or agent(),
        end(text=["agent", "text"]),
        "start > agent > end",
    )
    whole = dataclasses.replace(services_with(model), tools=Toolbox(*tools), **services)
    return run(definition, {"query": "What?"}, services=whole, kept=kept)


def logs(record: RunRecord) -> list[dict[str, Any]]:
    return [dict(event.details) for event in record.events if isinstance(event, events.NodeReported)]


def test_the_answer_stands_on_what_tools_said(model: Any) -> None:
    lookup = CountedTool("lookup")
    model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
    model.script("It is tea.")
    record = run_agent(model, lookup)
    outputs = record.outputs("agent")
    assert lookup.calls == [{"text": "tea"}]
    assert (outputs["text"], outputs["files"]) == ("Hm.\nIt is tea.", [])
    assert outputs["json"] == [{"tool_name": "lookup", "tool_input": {"text": "tea"}, "output": "lookup: tea"}]
    assert outputs["usage"]["total_tokens"] > 0
    assert record.text == "Hm.\nIt is tea."


def test_what_it_does_is_told_round_by_round(model: Any) -> None:
    model.script("Hm.", tool_calls=[("lookup", {"text": "tea"})])
    model.script("Tea.")
    record = logs(run_agent(model, CountedTool("lookup")))
    assert [(log["label"], log["status"]) for log in record] == [
        ("ROUND 1", "start"),
        ("CALL lookup", "start"),
        ("CALL lookup", "success"),
        ("ROUND 1", "success"),
        ("ROUND 2", "start"),
        ("ROUND 2", "success"),
    ]
    assert record[1]["parent_id"] == record[0]["id"] == record[3]["id"]
    assert record[1]["id"] == record[2]["id"]
    assert record[2]["data"] == {"tool_name": "lookup", "tool_input": {"text": "tea"}, "output": "lookup: tea"}


def test_the_model_reads_instruction_history_and_query(model: Any) -> None:
    part = agent()
    part["data"]["memory"] = {"window": {"enabled": False}}
    run_agent(model, CountedTool("lookup"), part=part, memory=Conversation(("One?", "1.")))
    assert sent(model) == [("system", "Be kind."), ("user", "One?"), ("assistant", "1."), ("user", "What?")]


def test_the_author_s_settings_are_not_the_model_s(model: Any) -> None:
    lookup = CountedTool("lookup")
    tool = TOOL | {"settings": {"text": {"value": "fixed"}}, "parameters": {"count": {"auto": 1, "value": None}}}
    model.script(tool_calls=[("lookup", {"count": 2})])
    run_agent(model, lookup, part=agent(tools=[tool]))
    assert lookup.calls == [{"text": "fixed", "count": 2}]


def test_a_failing_tool_is_an_observation(model: Any) -> None:
    def fail(*_: Any) -> ToolAnswer:
        raise ToolFailed("out of tea")

    model.script(tool_calls=[("lookup", {"text": "tea"})])
    model.script("None left.")
    record = run_agent(model, CountedTool("lookup", fail))
    assert record.text == "None left."
    assert record.outputs("agent")["json"][0]["output"] == "lookup failed: out of tea"


@pytest.mark.parametrize(
    ("strategy", "chunks", "calls"),
    [
        ("function_calling", [], [("lookup", '{"text": "tea')]),
        ("ReAct", ['Action: {"action": "lookup", "action_input": {"text": "tea'], []),
    ],
)
def test_a_call_that_is_cut_off_is_not_made(model: Any, strategy: str, chunks: list[str], calls: list[Any]) -> None:
    lookup = CountedTool("lookup")
    model.script(*chunks, tool_calls=calls, finish="length")
    model.script("Final Answer: tea")
    record = run_agent(model, lookup, part=agent(strategy))
    assert lookup.calls == []
    assert "cut off" in record.outputs("agent")["json"][0]["output"]


@pytest.mark.parametrize(
    ("strategy", "chunks", "reasoning", "text"),
    [
        ("function_calling", ["It is tea."], ("Hm.",), "<think>\nHm.\n</think>\n\nIt is tea."),
        ("function_calling", ["Hm.", "</think>\n\n", "It is tea."], (), "<think>\nHm.</think>\n\nIt is tea."),
        ("ReAct", ["Final Answer: tea"], ("Final Answer: no",), "tea"),
        ("ReAct", ["Final Answer: no", "</think>", "Final Answer: tea"], (), "tea"),
    ],
)
def test_thoughts_are_told_apart(
    model: Any, strategy: str, chunks: list[str], reasoning: tuple[str, ...], text: str
) -> None:
    model.script(*chunks, delay=0.05, reasoning=reasoning)
    record = run_agent(model, part=agent(strategy))
    assert (record.outputs("agent")["text"], record.text) == (text, text)


def test_rounds_have_an_end(model: Any) -> None:
    lookup = CountedTool("lookup")
    for _ in range(9):
        model.script(tool_calls=[("lookup", {"text": "again"})])
    run_agent(model, lookup, part=agent(maximum_iterations=2))
    assert len(lookup.calls) == 2


def test_react_is_understood(model: Any) -> None:
    lookup = CountedTool("lookup")
    model.script('Thought: Hm.\nAction: {"action": "lookup", "action_input": {"text": "tea"}}')
    model.script("Final Answer: tea")
    assert run_agent(model, lookup, part=agent("ReAct")).text == "tea"
    assert lookup.calls == [{"text": "tea"}]


def test_files_that_tools_make_are_outputs(model: Any) -> None:
    class Kept:
        def store(self, name: str, content: bytes, mime_type: str) -> File:
            return File(
                id="1",
                type="image",
                transfer_method="tool_file",
                name=name,
                mime_type=mime_type,
                size=len(content),
                related_id="r",
            )

    draw = CountedTool("lookup", lambda *_: ToolAnswer("drawn", [ToolFile("a.png", b"x", "image/png")]))
    model.script(tool_calls=[("lookup", {"text": "x"})])
    assert [file.name for file in run_agent(model, draw, files=Kept()).outputs("agent")["files"]] == ["a.png"]


def test_a_tool_that_is_not_set_up_is_not_offered(model: Any) -> None:
    model.script("Without.")
    assert run_agent(model).text == "Without."
    assert "tools" not in model.requests[0].body


def test_a_model_that_fails_fails_the_node(model: Any) -> None:
    model.script(status=401)
    record = run_agent(model, CountedTool("lookup"))
    assert record.end.status == "failed" and record.of("agent").error


def test_an_empty_query_fails_the_node(model: Any) -> None:
    assert run_agent(model, part=agent(query="")).of("agent").error == "The agent has no query."


@pytest.mark.parametrize("model_value", [None, "tiny", {}])
def test_an_agent_without_a_model_is_refused(model_value: Any) -> None:
    with pytest.raises(GraphInvalid, match="agent_parameters.model"):
        build(
            graph(
                start(query="text-input"), agent(model=model_value), end(text=["agent", "text"]), "start > agent > end"
            )
        )


def test_a_model_may_be_named_in_two_ways(model: Any) -> None:
    model.script("Hi.")
    assert run_agent(model, part=agent(model=MODEL)).text == "Hi."


def cut_off(model: Any, *tools: CountedTool) -> RunRecord:
    """A run whose model has called a tool and then failed for good: what it has kept is what a lost worker leaves."""
    model.script("Hm.", tool_calls=[("lookup", {"text": "tea"}), ("lookup", {"text": "milk"})])
    model.script(error="ServerError")
    return run_agent(model, *tools)


def test_a_tool_that_has_returned_is_not_called_again(model: Any) -> None:
    lookup = CountedTool("lookup")
    record = cut_off(model, lookup)
    model.script("It is tea.")
    again = run_agent(model, lookup, kept=record.journal.kept)
    assert lookup.calls == [{"text": "tea"}, {"text": "milk"}]
    assert [call["output"] for call in again.outputs("agent")["json"]] == ["lookup: tea", "lookup: milk"]
    assert (again.text, again.outputs("agent")["text"]) == ("Hm.\nIt is tea.", "Hm.\nIt is tea.")
    assert again.outputs("agent")["usage"]["total_tokens"] > 0
    assert sent(model)[-3:] == [("assistant", "Hm."), ("tool", "lookup: tea"), ("tool", "lookup: milk")]


def test_a_tool_that_had_not_returned_is_called_again(model: Any) -> None:
    lookup = CountedTool("lookup")
    kept = cut_off(model, lookup).journal.kept
    (progress,) = kept.values()
    progress["steps"][0]["calls"][1]["observation"] = None
    model.script("It is tea.")
    again = run_agent(model, lookup, kept=kept)
    assert lookup.calls == [{"text": "tea"}, {"text": "milk"}, {"text": "milk"}]
    assert again.text == "Hm.\nIt is tea."


def declaring(*declared: dict[str, Any]) -> dict[str, Any]:
    part = agent(tools=[])
    part["data"]["declared_outputs"] = list(declared)
    return part


def test_a_single_declared_text_is_the_answer(model: Any) -> None:
    model.script("All is well.")
    record = run_agent(model, part=declaring({"name": "report", "type": "string"}))
    assert record.outputs("agent")["report"] == record.outputs("agent")["text"] == "All is well."


def test_declared_outputs_are_asked_for_and_read(model: Any) -> None:
    model.script('{"title": "A", "points": [1, 2]}')
    record = run_agent(
        model, part=declaring({"name": "title", "type": "string"}, {"name": "points", "type": "array[number]"})
    )
    assert (record.outputs("agent")["title"], record.outputs("agent")["points"]) == ("A", [1, 2])
    assert "points" in model.requests[-1].content.decode()


def test_declared_outputs_that_are_cut_at_the_limit_fail_the_node(model: Any) -> None:
    model.script('{"amount": 12', finish="length")
    record = run_agent(model, part=declaring({"name": "amount", "type": "number"}))
    assert record.end.status == "failed" and "limit of tokens" in record.of("agent").error


def test_an_answer_without_the_declared_outputs_fails_the_node(model: Any) -> None:
    model.script("No.")
    record = run_agent(model, part=declaring({"name": "a", "type": "number"}))
    assert record.end.status == "failed" and "no JSON object" in record.of("agent").error
