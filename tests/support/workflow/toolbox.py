"""Tools for engine and agent tests: each counts its calls and does what the test says."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.bound_tools import BoundTool
from app.tools.tool_types import Tool, ToolAnswer, ToolChoice, ToolDescription, ToolFailed

SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["text"],
}


@dataclass
class CountedTool:
    """Answers `name: text`, or as `behave` says."""

    name: str
    behave: Callable[[Mapping[str, Any], Cancellation], ToolAnswer] | None = None
    parameters: Mapping[str, Any] = field(default_factory=lambda: SCHEMA)
    calls: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def description(self) -> ToolDescription:
        return ToolDescription(self.name, f"Does {self.name}.", self.parameters, {"en_US": self.name.title()}, "")

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        with _lock:
            self.calls.append(dict(arguments))
        if self.behave is not None:
            return self.behave(arguments, cancellation)
        return ToolAnswer(f"{self.name}: {arguments.get('text')}")


class Toolbox:
    """Implements `Tools`."""

    def __init__(self, *tools: CountedTool) -> None:
        self.tools = {tool.name: tool for tool in tools}

    def find(self, choice: ToolChoice) -> Tool:
        if choice.name not in self.tools:
            raise ToolFailed(f"The tool {choice.name!r} is not set up here.")
        return BoundTool(self.tools[choice.name], choice.settings)


_lock = threading.Lock()
