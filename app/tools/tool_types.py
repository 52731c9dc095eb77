"""What the rest of the app says to a tool and hears from it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from app.providers.cancellation import Cancellation

LONGEST_NAME = 64


class ToolFailed(Exception):
    """A call that came to nothing: told to the model as an observation, an error of a node. The text is one line for its reader."""


@dataclass(frozen=True)
class ToolFile:
    """A file that a tool made."""

    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True)
class ToolAnswer:
    """`json`: objects beside the text. `variables`: named outputs that the tool declares. `sources`: knowledge that it stands on."""

    text: str = ""
    files: Sequence[ToolFile] = ()
    json: Sequence[Mapping[str, Any]] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class ToolDescription:
    """`name` as models call it: letters, digits, `_` and `-`, 64 at most. `parameters`: a JSON schema of type object.

    `label`: language → text. `icon`: a URL, or `{"background", "content"}` (contract endpoints.md, GET /meta).
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    label: Mapping[str, str]
    icon: str | Mapping[str, str]


class Tool(Protocol):
    """One tool. Calls may come from several threads."""

    @property
    def description(self) -> ToolDescription: ...

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        """Raises ToolFailed (bad arguments, refusals, time), Cancelled; anything else is a fault of ours."""


@dataclass(frozen=True)
class ToolChoice:
    """How an app file names a tool (contract dsl.md §2, `agent_mode.tools`; §3.7, tool node).

    `provider` and `provider_name`: its id and its name, which custom tools have both. `settings`: what the author fixed (`tool_parameters` of an agent's tool, `tool_configurations` of a node): arguments that
    the model does not choose.
    """

    provider_type: str
    provider: str
    name: str
    provider_name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class Tools(Protocol):
    """Tools by what app files call them. Raises ToolFailed where the registry knows none of this name."""

    def find(self, choice: ToolChoice) -> Tool: ...


def fitted_name(name: str) -> str:
    """A tool's name as models can call it."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)[:LONGEST_NAME] or "_"
