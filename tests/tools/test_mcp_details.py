"""The structured parts of what MCP tools answer, against a real server."""

import os
import sys
from collections.abc import Iterator

import pytest

from app.providers.cancellation import Cancellation
from app.tools.mcp_tools import McpTools
from app.tools.registry import ToolRegistry
from app.tools.tool_file import McpEntry
from app.tools.tool_types import ToolAnswer, ToolChoice, ToolFailed


@pytest.fixture(scope="module")
def house() -> Iterator[McpTools]:
    command = [sys.executable, "-m", "tests.support.mcp_server", "stdio"]
    tools = McpTools(
        "house", McpEntry(command=command, environment={"PYTHONPATH": "$HERE"}), {"HERE": os.getcwd()}, None
    )
    yield tools
    tools.close()


def call(tools: McpTools, name: str, **arguments: object) -> ToolAnswer:
    tool = ToolRegistry({"house": tools}, {}).find(ToolChoice("mcp", "house", name))
    return tool.call(arguments, 20.0, Cancellation())


@pytest.mark.parametrize("text", ["", "Too fast."])
def test_an_error_keeps_its_structured_details(house: McpTools, text: str) -> None:
    with pytest.raises(ToolFailed) as failed:
        call(house, "refuse", text=text)
    assert str(failed.value).splitlines() == [*filter(None, [text]), '{"code":"RATE_LIMITED","wait":5}']


def test_details_that_the_text_repeats_are_told_once(house: McpTools) -> None:
    details = '{"wait": 5, "code": "RATE_LIMITED"}'
    with pytest.raises(ToolFailed) as failed:
        call(house, "refuse", text=details)
    assert str(failed.value) == details


def test_a_structured_result_without_a_text_is_its_text(house: McpTools) -> None:
    answer = call(house, "measure")
    assert (answer.text, list(answer.json)) == ('{"rooms":4}', [{"rooms": 4}])
