"""The types of tools: descriptions, calls, answers, and how app files choose them."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from app.providers.cancellation import Cancellation

LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")

logger = logging.getLogger(__name__)


class ToolFailed(Exception):
    """A failed call. The text is one line: an agent's model reads it as observation, a tool node fails with it.

    `cause`: the line for the operator; where it names what is no visitor's business, the text does not. `usage`: as of
    a ToolAnswer.
    """

    def __init__(self, message: str, cause: str = "", usage: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.cause, self.usage = cause or message, usage


def tools_not_usable(provider: str, cause: str) -> ToolFailed:
    """Return the error of a provider whose set-up is at fault, and log its cause."""
    logger.warning("tools cannot be used: %s", cause)
    return ToolFailed(f"The tools of {provider!r} cannot be used at the moment.", cause)


@dataclass(frozen=True)
class ToolFile:
    """A file that a tool made."""

    name: str
    content: bytes
    mime_type: str


@dataclass(frozen=True)
class ToolAnswer:
    """The answer of a tool. `json`: objects beside the text. `variables`: outputs that the tool declares, by name.

    `sources`: passages that it is based on (contract streaming.md §3.2).
    """

    text: str = ""
    files: Sequence[ToolFile] = ()
    json: Sequence[Mapping[str, Any]] = ()
    variables: Mapping[str, Any] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    # Values of files that are stored already, of the types of the engine.
    stored_files: Sequence[Any] = ()
    # What models were asked for by the tool, as UsageSum.stored has it.
    usage: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class ToolDescription:
    """The description of a tool. `name` as models write it: letters, digits, `_` and `-`, 64 at most.

    `parameters`: a JSON schema of type object. `label`: language → text. `icon`: a URL, or `{"background", "content"}`
    (contract endpoints.md, GET /meta).
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    label: Mapping[str, str]
    icon: str | Mapping[str, str]


# Reads a file that an argument names, by its file object: at most so many bytes, in so many seconds. Raises ToolFailed
# for a file that is not the end user's; Cancelled.
ReadFile = Callable[[Mapping[str, Any], int, float, Cancellation], ToolFile]


class Tool(Protocol):
    """One tool. Calls may come from several threads."""

    @property
    def description(self) -> ToolDescription:
        """The tool as models and clients see it."""

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        """Call the tool. Raises ToolFailed (bad arguments, refusals, timeouts), Cancelled."""


@runtime_checkable
class ReadsFiles(Tool, Protocol):
    """A tool that reads files of the end user."""

    def reading(self, read: ReadFile) -> Tool:
        """Return the tool with what reads the files."""


@dataclass(frozen=True)
class ToolChoice:
    """A tool as an app file names it (contract dsl.md §2, `agent_mode.tools`; §3.7, tool node).

    `provider` and `provider_name`: the provider's id and name; custom tools have both. `settings`: arguments that the
    author fixed (`tool_parameters` of an agent's tool, `tool_configurations` of a node), so that no model chooses them.
    """

    provider_type: str
    provider: str
    name: str
    provider_name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


class Tools(Protocol):
    """Finds tools by the names that app files give them."""

    def find(self, choice: ToolChoice) -> Tool:
        """Return the chosen tool. Raises ToolFailed if there is none of that name."""


def fitted_name(name: str) -> str:
    """Return a tool's name with only the characters that models can write, 64 at most."""
    return _NOT_IN_NAMES.sub("_", name)[:LONGEST_NAME] or "_"
