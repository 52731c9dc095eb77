"""The steps of an agent: rounds of its model, with the tools called in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.providers.models.json_answers import read_json

# The stock front-end looks a label up by its own language and shows nothing where that one is missing.
LABEL_LANGUAGES = ("zh_Hans", "en_US", "pt_BR", "ja_JP")


@dataclass
class ToolCall:
    """One call of a tool. `arguments`: JSON as the model wrote it. `observation`: what the model reads of its result.

    An `observation` of None means that the call has not returned. `label`: the tool's label by language. `files`: file
    objects of the files that it made. `sources`: passages that it found (contract streaming.md §3.2). `is_cut`: the
    model's answer ended inside the call, which is therefore not made.
    """

    id: str
    name: str
    arguments: str
    label: Mapping[str, str] = field(default_factory=dict)
    observation: str | None = None
    files: list[Any] = field(default_factory=list)
    sources: list[Any] = field(default_factory=list)
    is_cut: bool = False

    @property
    def input(self) -> Any:
        """The arguments as JSON, or as the model wrote them if that is not JSON."""
        try:
            return read_json(self.arguments or "{}")
        except ValueError:
            return self.arguments


@dataclass
class AgentStep:
    """One round of the model. `thought`: its reasoning before the calls, or the answer if there are none.

    `shown`: the part of it that was streamed to the end user as answer. `written`: the model's whole text if the calls
    were read from it; "" in a step that an earlier worker stored.
    """

    id: str
    position: int
    thought: str = ""
    shown: str = ""
    written: str = ""
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def tool(self) -> str:
        """The names of the called tools, joined by `;` (contract streaming.md §3.1)."""
        return ";".join(call.name for call in self.calls)

    @property
    def tool_input(self) -> str:
        """The arguments by tool as JSON text, "" without calls."""
        return _text({call.name: call.input for call in self.calls}) if self.calls else ""

    @property
    def observation(self) -> str:
        """The observations by tool as JSON text, "" while there is none."""
        known = {call.name: call.observation for call in self.calls if call.observation is not None}
        return _text(known) if known else ""

    @property
    def tool_labels(self) -> dict[str, Any]:
        """The labels by tool, each in LABEL_LANGUAGES: where a language is missing its text is the English one."""
        return {call.name: _in_all_languages(call) for call in self.calls}

    @property
    def files(self) -> list[Any]:
        """The file objects of all calls."""
        return [file for call in self.calls for file in call.files]

    @property
    def sources(self) -> list[Any]:
        """The sources of all calls."""
        return [source for call in self.calls for source in call.sources]

    @property
    def open_calls(self) -> Sequence[ToolCall]:
        """The calls that have not returned."""
        return [call for call in self.calls if call.observation is None]


def _in_all_languages(call: ToolCall) -> dict[str, str]:
    english = call.label.get("en_US") or call.name
    return {language: call.label.get(language) or english for language in LABEL_LANGUAGES}


def _text(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
