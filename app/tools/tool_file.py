"""The file that says where the tools of app files are (`TOOLS_FILE`).

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

Secrets are never in the file: values name variables of the environment.
"""

import pathlib
from collections.abc import Mapping
from typing import Annotated

import pydantic

from app.providers.models.route_file import check_base_url
from app.providers.operator_files import Strict, filled, read_operator_file

Name = Annotated[str, pydantic.Field(min_length=1, max_length=255)]


class OpenApiEntry(Strict):
    """`description`: a file beside this one, or a URL; JSON or YAML. `base_url`: in place of the description's own.

    `seconds` and `megabytes` bound one call's time and its answer.
    """

    description: Name
    base_url: Annotated[str, pydantic.AfterValidator(check_base_url)] | None = None
    headers: dict[Name, str] = {}
    query: dict[Name, str] = {}
    seconds: Annotated[float, pydantic.Field(gt=0, le=600, strict=False)] = 30.0
    megabytes: Annotated[int, pydantic.Field(ge=1, le=100)] = 4


class McpEntry(Strict):
    """A server by its `url` (streamable HTTP), or by the `command` that starts it here (stdio), with `environment` and no other secrets."""

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
    background: Name
    content: Name


class ProviderEntry(Strict):
    """`icon`: a URL, or a background and an emoji."""

    openapi: OpenApiEntry | None = None
    mcp: McpEntry | None = None
    icon: Name | Icon | None = None

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "ProviderEntry":
        if (self.openapi is None) == (self.mcp is None):
            raise ValueError("either openapi or mcp must be there")
        return self


class ToolPlace(Strict):
    provider: Name
    tool: Name


class ToolAlias(Strict):
    provider: Name
    tool: Name
    use: ToolPlace


class ToolsFile(Strict):
    providers: dict[Name, ProviderEntry] = {}
    names: list[ToolAlias] = []


def all_filled(values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values with variables of the environment in place of `$NAME`. Raises UnsetVariable."""
    return {name: filled(text, environment) for name, text in values.items()}


def read_tool_file(path: pathlib.Path) -> ToolsFile:
    """Read and check a file. Raises InvalidOperatorFile."""
    return read_operator_file(path, ToolsFile)
