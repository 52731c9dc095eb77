"""Finds tools by the names that app files give them."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.tools.bound_tools import BoundTool
from app.tools.tool_types import ReadFile, ReadsFiles, Tool, ToolChoice, ToolFailed, fitted_name

# Types of providers whose tools have names that only their own service knows.
_OWN_TYPES = ("api", "mcp", "workflow")
_VAGUE = ("web_search", "single_crawl")


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
    """The tools of an installation (implements `Tools`). `names`: (provider, tool) of app files → of a provider.

    `builtin`: the names of the providers whose tools are ours. `apps`: (provider, tool) of app files → the code of the
    app that is called. `search_problem`: why the search engine that the operator named cannot be used.
    """

    def __init__(
        self,
        providers: Mapping[str, ToolProvider],
        names: Mapping[tuple[str, str], tuple[str, str]],
        *,
        builtin: Collection[str] = (),
        apps: Mapping[tuple[str, str], str] | None = None,
        search_problem: str = "",
    ) -> None:
        self._providers, self._names, self._builtin, self._apps = providers, names, builtin, apps or {}
        self.search_problem = search_problem

    def find(self, choice: ToolChoice, read: ReadFile | None = None) -> Tool:
        """Return a tool with the settings of the app's author. May ask a server. Raises ToolFailed.

        `read`: reads files of the end user, in a run.
        """
        for provider, name in self._places(choice):
            for tool in self._providers[provider].tools():
                if tool.description.name == fitted_name(name):
                    bound = tool.reading(read) if read is not None and isinstance(tool, ReadsFiles) else tool
                    return BoundTool(bound, choice.settings)
        raise ToolFailed(not_set_up(choice))

    def app_code(self, choice: ToolChoice) -> str | None:
        """Return the code of the app that a tool calls, where the operator named it."""
        found = (self._apps.get((provider, choice.name)) for provider in _called(choice))
        return next((code for code in found if code is not None), None)

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

        The last part, because marketplaces name providers by paths such as `langgenius/time/time`. A tool of another
        provider that has the name of one of ours does the same, unless the name says little.
        """
        for provider in _called(choice):
            place = self._names.get((provider, choice.name), (provider, choice.name))
            if place[0] in self._providers:
                yield place
        if choice.provider_type not in _OWN_TYPES and "_" in choice.name and choice.name not in _VAGUE:
            for provider in self._builtin:
                yield provider, choice.name


def _called(choice: ToolChoice) -> Iterable[str]:
    """Return what a tool's provider may be called, the most exact name first."""
    called = [name for name in (choice.provider, choice.provider_name) if name]
    return dict.fromkeys([*called, *(name.rpartition("/")[2] for name in called)])


def not_set_up(choice: ToolChoice) -> str:
    """Return the sentence for a tool that this installation does not have."""
    return f"The tool {choice.name!r} of {choice.provider_name or choice.provider!r} is not set up here."
