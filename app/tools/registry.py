"""Which tools there are, by what app files call them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.tools.bound_tools import BoundTool
from app.tools.tool_types import Tool, ToolChoice, ToolFailed, fitted_name


class ToolProvider(Protocol):
    """Some tools that belong together."""

    @property
    def icon(self) -> str | Mapping[str, str] | None: ...

    def tools(self) -> Sequence[Tool]:
        """Raises ToolFailed where they cannot be had now."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class ListedTool:
    """For operators: a tool, or why a provider's are not to be had."""

    provider: str
    name: str
    text: str
    problem: str | None = None


class ToolRegistry:
    """Implements `Tools`. `names`: (provider, tool) as app files call them → as they are called here."""

    def __init__(self, providers: Mapping[str, ToolProvider], names: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        self._providers, self._names = providers, names

    def find(self, choice: ToolChoice) -> Tool:
        """The tool, with its author's settings. Raises ToolFailed."""
        for provider, name in self._places(choice):
            for tool in self._providers[provider].tools():
                if tool.description.name == fitted_name(name):
                    return BoundTool(tool, choice.settings)
        raise ToolFailed(f"The tool {choice.name!r} of {choice.provider_name or choice.provider!r} is not set up here.")

    def icon(self, choice: ToolChoice) -> str | Mapping[str, str] | None:
        """The picture of a tool's provider; asks no server."""
        return next((self._providers[provider].icon for provider, _ in self._places(choice)), None)

    def listed(self) -> Iterator[ListedTool]:
        """Every tool of every provider. Asks servers."""
        for name, provider in self._providers.items():
            try:
                for tool in provider.tools():
                    yield ListedTool(name, tool.description.name, tool.description.description)
            except ToolFailed as failure:
                yield ListedTool(name, "", "", str(failure))

    def close(self) -> None:
        for provider in self._providers.values():
            provider.close()

    def _places(self, choice: ToolChoice) -> Iterator[tuple[str, str]]:
        """Where a tool may be: under the provider's id, its name, or the last part of either (`langgenius/time/time`)."""
        called = [name for name in (choice.provider, choice.provider_name) if name]
        candidates = dict.fromkeys([*called, *(name.rpartition("/")[2] for name in called)])
        for provider in candidates:
            place = self._names.get((provider, choice.name), (provider, choice.name))
            if place[0] in self._providers:
                yield place
