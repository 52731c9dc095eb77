"""What an agent did: rounds of the model, and the tools that it called in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.providers.models.json_answers import read_json


@dataclass
class ToolCall:
    """One call of a tool. `arguments`: as the model wrote them; `observation` None: it has not come back. `files`: file objects that it made; `sources`: knowledge that it found."""

    id: str
    name: str
    arguments: str
    label: Mapping[str, str] = field(default_factory=dict)
    observation: str | None = None
    files: list[Any] = field(default_factory=list)
    sources: list[Any] = field(default_factory=list)

    @property
    def input(self) -> Any:
        """The arguments for a reader: an object where they are one, else what was written."""
        try:
            return read_json(self.arguments or "{}")
        except ValueError:
            return self.arguments


@dataclass
class AgentStep:
    """One round. `thought`: what the model thought aloud, or its answer; `shown`: what of it the end user has read as answer.

    `written`: the model's own words where they hold the calls; "" in a step that another worker made.
    """

    id: str
    position: int
    thought: str = ""
    shown: str = ""
    written: str = ""
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def tool(self) -> str:
        """The names of its tools (contract streaming.md §3.1)."""
        return ";".join(call.name for call in self.calls)

    @property
    def tool_input(self) -> str:
        return _text({call.name: call.input for call in self.calls}) if self.calls else ""

    @property
    def observation(self) -> str:
        known = {call.name: call.observation for call in self.calls if call.observation is not None}
        return _text(known) if known else ""

    @property
    def tool_labels(self) -> dict[str, Any]:
        return {call.name: dict(call.label) for call in self.calls}

    @property
    def files(self) -> list[Any]:
        return [file for call in self.calls for file in call.files]

    @property
    def sources(self) -> list[Any]:
        return [source for call in self.calls for source in call.sources]

    @property
    def open_calls(self) -> Sequence[ToolCall]:
        return [call for call in self.calls if call.observation is None]


def _text(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
