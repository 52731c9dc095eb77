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
      - {provider: translate, tool: translate_text, use: {app: my-translator}}
    search: {searxng: {url: "http://127.0.0.1:8888"}}     # what answers for google_search, tavily_search and the like

Secrets do not belong in the file: values name variables of the environment.
"""

import pathlib
from collections.abc import Mapping
from typing import Annotated

import pydantic

from app.providers.models.route_file import check_base_url
from app.providers.operator_files import Strict, filled, read_operator_file, variable_name
from app.tools.builtin.search_engines import ENGINES, SearchSettings

Name = Annotated[str, pydantic.Field(min_length=1, max_length=255)]


def names_variable(value: str) -> str:
    """Return the name of a variable of the environment. Raises ValueError for anything else."""
    if variable_name(value) is None:
        raise ValueError("must name a variable of the environment, such as $SEARCH_KEY")
    return value


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
    """A tool by its provider and its name in this file, or an `app` of mode workflow by its code."""

    provider: Name | None = None
    tool: Name | None = None
    app: Name | None = None

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "ToolPlace":
        if (self.app is None) == (self.provider is None) or (self.provider is None) != (self.tool is None):
            raise ValueError("either provider and tool or app must be there")
        return self


class ToolAlias(Strict):
    """Another name for a tool: what app files call it, and the tool to use."""

    provider: Name
    tool: Name
    use: ToolPlace


class SearchServer(Strict):
    """A search engine's own address, or one that takes its place."""

    url: Annotated[str, pydantic.AfterValidator(check_base_url)]


class SearchService(Strict):
    """A search service that wants a key, which names a variable of the environment."""

    key: Annotated[str, pydantic.AfterValidator(names_variable)]
    url: Annotated[str, pydantic.AfterValidator(check_base_url)] | None = None


class GoogleSearch(SearchService):
    """Google's Programmable Search; `site` is the id of the search engine (`cx`)."""

    site: Name


class SearchEntry(Strict):
    """The search engine that answers for the Web's search, whatever app files call it: one of these."""

    searxng: SearchServer | None = None
    tavily: SearchService | None = None
    brave: SearchService | None = None
    serper: SearchService | None = None
    google: GoogleSearch | None = None

    @pydantic.model_validator(mode="after")
    def _one_engine(self) -> "SearchEntry":
        if len([name for name in ENGINES if getattr(self, name) is not None]) != 1:
            raise ValueError(f"one of {', '.join(ENGINES)} must be there")
        return self

    def settings(self, environment: Mapping[str, str]) -> SearchSettings:
        """Return the engine with its key. Raises UnsetVariable."""
        (kind,) = [name for name in ENGINES if getattr(self, name) is not None]
        entry = getattr(self, kind)
        key = filled(entry.key, environment) if isinstance(entry, SearchService) else ""
        site = entry.site if isinstance(entry, GoogleSearch) else ""
        return SearchSettings(kind, entry.url or "", key, site)


class ToolsFile(Strict):
    """The whole file: tool providers by name, other names for their tools, and the search engine."""

    providers: dict[Name, ProviderEntry] = {}
    names: list[ToolAlias] = []
    search: SearchEntry | None = None


def all_filled(values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the values with variables of the environment in place of `$NAME`. Raises UnsetVariable."""
    return {name: filled(text, environment) for name, text in values.items()}


def read_tool_file(path: pathlib.Path) -> ToolsFile:
    """Read the file. Raises InvalidOperatorFile."""
    return read_operator_file(path, ToolsFile)
