"""Tools of OpenAPI descriptions, called as a model calls them."""

import pathlib
from typing import Any

import pytest
import yaml

from app.providers.cancellation import Cancellation
from app.tools.openapi_tools import OpenApiTools
from app.tools.registry import ToolRegistry
from app.tools.tool_file import OpenApiEntry
from app.tools.tool_types import ToolAnswer, ToolChoice, ToolFailed


def described(tmp_path: pathlib.Path, document: Any, **settings: Any) -> OpenApiTools:
    text = document if isinstance(document, str) else yaml.safe_dump(document)
    (tmp_path / "api.yaml").write_text(text)
    return OpenApiTools("api", OpenApiEntry(description="api.yaml", **settings), {}, tmp_path, None)


def call(
    tools: OpenApiTools, name: str, /, seconds: float = 10.0, cancellation: Cancellation | None = None, **arguments: Any
) -> ToolAnswer:
    tool = ToolRegistry({"pets": tools}, {}).find(ToolChoice("api", "pets", name))
    return tool.call(arguments, seconds, cancellation or Cancellation())


def failure(tools: OpenApiTools, name: str, /, **arguments: Any) -> str:
    with pytest.raises(ToolFailed) as failed:
        call(tools, name, **arguments)
    return str(failed.value)
