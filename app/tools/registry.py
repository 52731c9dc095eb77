"""Finds tools by the names that app files give them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.tools.bound_tools import BoundTool
from app.tools.tool_types import Tool, ToolChoice, ToolFailed, fitted_name


class ToolProvider(Protocol):
    """Provides the tools of one server, service or built-in group."""

    @property
    def icon(self) -> str | Mapping[str, str] | None:
        """The provider's picture: a URL, or a background and an emoji."""

    def tools(self) -> Sequence[Tool]:
        """Return the tools. May ask a server. Raises ToolFailed if they are not available now."""

    def close(self) -> None:
        """Release what the provider holds open."""


@dataclass(frozen=True)
class ListedTool:
    """A tool as operators list it. `problem`: why the provider's tools are not available; then the rest is empty."""

    provider: str
    name: str
    text: str
    problem: str | None = None


class ToolRegistry:
    """The tools of an installation (implements `Tools`). `names`: (provider, tool) of app files → of a provider."""

    def __init__(self, providers: Mapping[str, ToolProvider], names: Mapping[tuple[str, str], tuple[str, str]]) -> None:
        self._providers, self._names = providers, names

    def find(self, choice: ToolChoice) -> Tool:
        """Return a tool with the settings of the app's author. May ask a server. Raises ToolFailed."""
        for provider, name in self._places(choice):
            for tool in self._providers[provider].tools():
                if tool.description.name == fitted_name(name):
                    return BoundTool(tool, choice.settings)
        raise ToolFailed(f"The tool {choice.name!r} of {choice.provider_name or choice.provider!r} is not set up here.")

    def icon(self, choice: ToolChoice) -> str | Mapping[str, str] | None:
        """Return the picture of a tool's provider, without asking a server."""
        return next((self._providers[provider].icon for provider, _ in self._places(choice)), None)

    def listed(self) -> Iterator[ListedTool]:
        """Yield every tool of every provider. Asks servers."""
        for name, provider in self._providers.items():
            try:
                for tool in provider.tools():
                    yield ListedTool(name, tool.description.name, tool.description.description)
            except ToolFailed as failure:
                yield ListedTool(name, "", "", failure.cause)

    def close(self) -> None:
        """Close all providers."""
        for provider in self._providers.values():
            provider.close()

    def _places(self, choice: ToolChoice) -> Iterator[tuple[str, str]]:
        """Yield where a tool may be: (provider, tool) by the provider's id, its name, or the last part of either.

        The last part, because marketplaces name providers by paths such as `langgenius/time/time`.
        """
        called = [name for name in (choice.provider, choice.provider_name) if name]
        candidates = dict.fromkeys([*called, *(name.rpartition("/")[2] for name in called)])
        for provider in candidates:
            place = self._names.get((provider, choice.name), (provider, choice.name))
            if place[0] in self._providers:
                yield place
