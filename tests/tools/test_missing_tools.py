"""What an operator has to add for a tool that is not there."""

import pytest
import yaml

from app.tools.missing_tools import what_to_add
from app.tools.tool_file import ToolsFile
from app.tools.tool_types import ToolChoice


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        (ToolChoice("builtin", "google", "google_search"), "search: {searxng: "),
        (ToolChoice("builtin", "langgenius/tavily/tavily", "tavily_search"), "search: {searxng: "),
        (
            ToolChoice("api", "0198f0a0-0000-7000-8000-000000000001", "get", "My shop"),
            "providers: {'My shop': {openapi: ",
        ),
        (ToolChoice("mcp", "house", "open"), "providers: {house: {mcp: "),
        (
            ToolChoice("workflow", "uuid", "translate_text"),
            "names: [{provider: uuid, tool: translate_text, use: {app: ",
        ),
        (ToolChoice("builtin", "a/b/c", "paint"), "names: [{provider: a/b/c, tool: paint, use: {provider: "),
    ],
)
def test_the_line_is_one_that_a_tools_file_takes(choice: ToolChoice, line: str) -> None:
    said = what_to_add(choice)
    assert line in said
    first = said.split("`")[1] if "--code" not in said else said.split("`")[3]
    assert ToolsFile.model_validate(yaml.safe_load(first))


def test_a_search_engine_without_its_key_is_told() -> None:
    said = what_to_add(ToolChoice("builtin", "google", "google_search"), "the variable KEY is not set")
    assert said == "Web search cannot be used: the variable KEY is not set."
