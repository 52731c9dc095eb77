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
from typing import Annotated, Any

import pydantic
import yaml

from app.providers.models.route_file import VARIABLE, check_base_url

Name = Annotated[str, pydantic.Field(min_length=1, max_length=255)]


class InvalidToolsFile(Exception):
    """The file cannot be used; the text is one line that names the file and the place in it."""


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class OpenApiEntry(_Strict):
    """`description`: a file beside this one, or a URL; JSON or YAML. `base_url`: in place of the description's own.

    `seconds` and `megabytes` bound one call's time and its answer.
    """

    description: Name
    base_url: Annotated[str, pydantic.AfterValidator(check_base_url)] | None = None
    headers: dict[Name, str] = {}
    query: dict[Name, str] = {}
    seconds: Annotated[float, pydantic.Field(gt=0, le=600, strict=False)] = 30.0
    megabytes: Annotated[int, pydantic.Field(ge=1, le=100)] = 4


class McpEntry(_Strict):
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


class Icon(_Strict):
    background: Name
    content: Name


class ProviderEntry(_Strict):
    """`icon`: a URL, or a background and an emoji."""

    openapi: OpenApiEntry | None = None
    mcp: McpEntry | None = None
    icon: Name | Icon | None = None

    @pydantic.model_validator(mode="after")
    def _one_kind(self) -> "ProviderEntry":
        if (self.openapi is None) == (self.mcp is None):
            raise ValueError("either openapi or mcp must be there")
        return self


class ToolPlace(_Strict):
    provider: Name
    tool: Name


class ToolAlias(_Strict):
    provider: Name
    tool: Name
    use: ToolPlace


class ToolsFile(_Strict):
    providers: dict[Name, ProviderEntry] = {}
    names: list[ToolAlias] = []


def filled(values: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The values with variables of the environment in place of `$NAME`. Raises ValueError, which names a variable that is not set."""

    def value(match: Any) -> str:
        name = match[1] or match[2]
        if name not in environment:
            raise ValueError(f"the variable {name} is not set")
        return environment[name]

    return {name: VARIABLE.sub(value, text) for name, text in values.items()}


def read_tool_file(path: pathlib.Path) -> ToolsFile:
    """Read and check a file. Raises InvalidToolsFile."""
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidToolsFile(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InvalidToolsFile(f"{path}: is not UTF-8 text") from None
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise InvalidToolsFile(f"{path}:{line} is not valid YAML: {error.problem}") from None
    except yaml.YAMLError:
        raise InvalidToolsFile(f"{path}: is not valid YAML") from None
    try:
        return ToolsFile.model_validate(document if document is not None else {})
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
        problem = (
            "is not known here"
            if first["type"] == "extra_forbidden"
            else str(first["msg"]).removeprefix("Value error, ")
        )
        raise InvalidToolsFile(f"{path}: {place or 'the document'}: {problem}") from None
