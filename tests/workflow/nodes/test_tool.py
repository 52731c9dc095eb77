"""`tool` (contract dsl.md §3.7)."""

from typing import Any

import pytest

from app.providers.cancellation import Cancellation
from app.tools.tool_types import ToolAnswer, ToolFailed, ToolFile
from app.workflow.contracts.node_services import NodeServices
from app.workflow.values.files import File
from tests.support.workflow.graphs import RunRecord, end, graph, node, run, start
from tests.support.workflow.toolbox import CountedTool, Toolbox


class StoredFiles:
    """Files that a run stored."""

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


def call_tool(tool: CountedTool, inputs: dict[str, Any] | None = None, **data: Any) -> RunRecord:
    plain: dict[str, Any] = {
        "provider_id": "p",
        "provider_type": "builtin",
        "provider_name": "p",
        "tool_name": tool.name,
        "tool_configurations": {},
    }
    definition = graph(
        start(said="text-input"),
        node("t", "tool", **(plain | data)),
        end(text=["t", "text"], json=["t", "json"]),
        "start > t > end",
    )
    return run(definition, inputs, services=NodeServices(tools=Toolbox(tool), files=StoredFiles()))  # type: ignore[arg-type]


def mixed(value: Any) -> dict[str, Any]:
    return {"type": "mixed", "value": value}


def test_a_tool_gives_text_files_and_json() -> None:
    tool = CountedTool(
        "say", lambda arguments, _: ToolAnswer("hi", [ToolFile("a.png", b"x", "image/png")], [{"a": 1}], {"extra": 5})
    )
    record = call_tool(tool, tool_parameters={"text": mixed("x")})
    outputs = record.outputs("t")
    assert (outputs["text"], outputs["json"], outputs["extra"], outputs["files"][0].name) == (
        "hi",
        [{"a": 1}],
        5,
        "a.png",
    )
    assert record.end.outputs == {"text": "hi", "json": [{"a": 1}]}


def test_parameters_are_templates_variables_and_constants() -> None:
    tool = CountedTool("say", parameters={"type": "object", "properties": {name: {} for name in "abc"}})
    parameters = {
        "a": mixed("<{{#start.said#}}>"),
        "b": {"type": "variable", "value": ["start", "said"]},
        "c": {"type": "constant", "value": 3},
    }
    call_tool(tool, {"said": "hello"}, tool_parameters=parameters)
    assert tool.calls == [{"a": "<hello>", "b": "hello", "c": 3}]


def test_texts_become_what_the_tool_wants() -> None:
    tool = CountedTool("say")
    call_tool(
        tool, {"said": "7"}, tool_parameters={"text": mixed("{{#start.said#}}"), "count": mixed("{{#start.said#}}")}
    )
    assert tool.calls == [{"text": "7", "count": 7}]


def test_configurations_are_arguments_and_nulls_and_lists_are_left_out() -> None:
    tool = CountedTool("say")
    call_tool(tool, tool_configurations={"text": "fixed", "count": None, "more": [1]})
    assert tool.calls == [{"text": "fixed"}]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"tool_name": "gone"}, "The tool 'gone' is not set up here."),
        ({"tool_parameters": {}}, "Bad arguments: 'text' is a required property"),
        (
            {"tool_parameters": {"text": mixed("x"), "count": mixed("many")}},
            "Bad argument 'count': 'many' is not of type 'integer'",
        ),
    ],
)
def test_a_call_that_cannot_be_made_fails_the_node(data: dict[str, Any], error: str) -> None:
    record = call_tool(CountedTool("say"), **data)
    assert (record.end.status, record.end.error) == ("failed", error)


def test_a_tool_s_failure_is_the_node_s() -> None:
    def fail(arguments: Any, cancellation: Cancellation) -> ToolAnswer:
        raise ToolFailed("no luck")

    record = call_tool(
        CountedTool("say", fail),
        tool_parameters={"text": mixed("x")},
        error_strategy="default-value",
        default_value=[{"key": "text", "value": "d"}],
    )
    assert (record.end.status, record.outputs("t")["text"], record.outputs("t")["error_message"]) == (
        "partial-succeeded",
        "d",
        "no luck",
    )


def test_a_run_without_tools_says_so() -> None:
    definition = graph(start(), node("t", "tool", tool_name="x"), end(), "start > t > end")
    assert run(definition).end.error == "No tools are available in this run."


def test_a_call_whose_answer_was_stored_is_not_made_again() -> None:
    tool = CountedTool("say")
    definition = graph(
        start(),
        node("t", "tool", tool_name="say", tool_parameters={"text": mixed("x")}),
        end(text=["t", "text"]),
        "start > t > end",
    )
    first = run(definition, services=NodeServices(tools=Toolbox(tool)))
    again = run(definition, services=NodeServices(tools=Toolbox(tool)), past=first.journal.ends[:2])
    assert (len(tool.calls), again.end.outputs) == (1, {"text": "say: x"})
