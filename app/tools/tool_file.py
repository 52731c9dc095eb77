"""Read TOOLS_FILE, which says where the tools are that app files name.

    providers:
      weather:                                # the provider's name in app files, or a name of yours
        openapi: {description: weather.yaml, base_url: "https://weather.example.com/v1", headers: {X-Key: $WEATHER_KEY}}
      house:
        mcp: {url: "https://tools.example.com/mcp", headers: {Authorization: "Bearer $HOUSE_TOKEN"}}
      files:
        mcp: {command: [npx, -y, "@modelcontextprotocol/server-filesystem", /srv/shared], environment: {HOME: $HOME}}
        icon: {background: "#E0F2FE", content: "📁"}
    names:                                    # what else app files call them
      - {provider: langgenius/google/google, tool: google_search, use: {provider: house, tool: search}}

Secrets do not belong in the file: values name variables of the environment.
"""

import pathlib
from collections.abc import Mapping
from typing import Annotated

import pydantic

from app.providers.models.route_file import check_base_url
from app.providers.operator_files import Strict, filled, read_operator_file

Name = Annotated[str, pydantic.Field(min_length=1, max_length=255)]


class OpenApiEntry(Strict):
    """A service with an OpenAPI description.

    `description`: a file beside the tools file, or a URL; JSON or YAML. `base_url` replaces the description's own.
    `seconds` and `megabytes` limit the time and the answer of one call.
    """

    description: Name
    base_url: Annotated[str, pydantic.AfterValidator(check_base_url)] | None = None
    headers: dict[Name, str] = {}
    query: dict[Name, str] = {}
    seconds: Annotated[float, pydantic.Field(gt=0, le=600, strict=False)] = 30.0
    megabytes: Annotated[int, pydantic.Field(ge=1, le=100)] = 4


class McpEntry(Strict):
    """An MCP server: at a `url` (streamable HTTP), or started here by a `command` (stdio).

    A command gets the variables of `environment` and no others. `seconds` and `megabytes` limit the time and the
    answer of one call.
    """

    url: Annotated[str, pydantic.AfterValidator(check_base_url)] | None = None
    headers: dict[Name, str] = {}
    command: Annotated[list[Name], pydantic.Field(min_length=1)] | None = None
    environment: dict[Name, str] = {}
    seconds: Annotated[float, pydantic.Field(gt=0, le=600, strict=False)] = 60.0
    megabytes: Annotated[int, pydantic.Field(ge=1, le=100)] = 4

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> "McpEntry":
        if (self.url is None) == (self.command is None):
            raise ValueError("either url or command must be there")
        return self


class Icon(Strict):
    """A picture made of a background colour and an emoji."""

    background: Name
    content: Name


class ProviderEntry(Strict):
    """A tool provider: an OpenAPI service or an MCP server. `icon`: the URL of a picture, or one that is made here."""

    openapi: OpenApiEntry | None = None
    mcp: McpEntry | None = None
    icon: Name | Icon | None = None

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "ProviderEntry":
        if (self.openapi is None) == (self.mcp is None):
            raise ValueError("either openapi or mcp must be there")
        return self


class ToolPlace(Strict):
    """A tool by its provider and its name, as they are called in this file."""

    provider: Name
    tool: Name


class ToolAlias(Strict):
    """Another name for a tool: what app files call it, and the tool to use."""

    provider: Name
    tool: Name
    use: ToolPlace


class ToolsFile(Strict):
    """The whole file: tool providers by name, and other names for their tools."""

    providers: dict[Name, ProviderEntry] = {}
    names: list[ToolAlias] = []


def all_filled(values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values with variables of the environment in place of `$NAME`. Raises UnsetVariable."""
    return {name: filled(text, environment) for name, text in values.items()}


def read_tool_file(path: pathlib.Path) -> ToolsFile:
    """Read the file. Raises InvalidOperatorFile."""
    return read_operator_file(path, ToolsFile)
