"""The tools that apps of this installation may call: built-in ones, and those of TOOLS_FILE."""

import pathlib
from collections.abc import Callable

from flask import Flask, current_app

from app.providers.operator_files import InvalidOperatorFile, UnsetVariable
from app.services.definitions.app_file import AppDefinition
from app.services.process.called_apps import WORKFLOW, find_called_app
from app.services.process.process_parts import Part, process_parts
from app.services.process.providers import guarded_http, model_routes, sandbox
from app.tools.builtin import builtin_providers
from app.tools.missing_tools import what_to_add
from app.tools.registry import ToolProvider, ToolRegistry, not_set_up
from app.tools.tool_file import Icon, ProviderEntry, ToolsFile, read_tool_file
from app.tools.tool_types import ToolFailed


def tool_registry() -> ToolRegistry:
    """Return the registry of this process, read on first use. Contacts no server. Raises InvalidOperatorFile."""
    return process_parts().get(ToolRegistry, _load, ToolRegistry.close)


def unresolved(definition: AppDefinition) -> list[str]:
    """Return a sentence for each tool of the app that cannot be called now, which says why. Contacts tool servers."""
    sentences = []
    for choice in definition.tools():
        try:
            registry = tool_registry()
            if choice.provider_type == WORKFLOW and find_called_app(choice, registry.app_code(choice)) is not None:
                continue
            registry.find(choice)
        except ToolFailed as failure:
            sentence = failure.cause
            if sentence == not_set_up(choice):
                sentence = f"{sentence} {what_to_add(choice, registry.search_problem)}"
            sentences.append(sentence)
        except InvalidOperatorFile as invalid:
            sentences.append(str(invalid))
    return sentences


def _load() -> ToolRegistry:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    path = pathlib.Path(app.config["TOOLS_FILE"]) if app.config["TOOLS_FILE"] else None
    file = read_tool_file(path) if path is not None else ToolsFile()
    search, search_problem = None, ""
    if file.search is not None:
        try:
            search = file.search.settings(app.config["ENVIRONMENT"])
        except UnsetVariable as unset:
            search_problem = str(unset)
    parts = _in_app(app, guarded_http), _in_app(app, sandbox), _in_app(app, model_routes)
    builtin = builtin_providers(*parts, search, app.config["OUTGOING"])
    providers: dict[str, ToolProvider] = dict(builtin)
    for name, entry in file.providers.items():
        providers[name] = _provider(app, name, entry, path.parent if path is not None else pathlib.Path())
    names: dict[tuple[str, str], tuple[str, str]] = {}
    apps: dict[tuple[str, str], str] = {}
    for alias in file.names:
        if alias.use.app is not None:
            apps[alias.provider, alias.tool] = alias.use.app
        elif alias.use.provider is not None and alias.use.tool is not None:
            names[alias.provider, alias.tool] = alias.use.provider, alias.use.tool
    ours = [name for name in builtin if name not in file.providers]
    return ToolRegistry(providers, names, builtin=ours, apps=apps, search_problem=search_problem)


def _provider(app: Flask, name: str, entry: ProviderEntry, folder: pathlib.Path) -> ToolProvider:
    # Both kinds are imported on first use: few installations have one, and the MCP package takes some 40 MiB.
    icon = entry.icon.model_dump() if isinstance(entry.icon, Icon) else entry.icon
    if entry.mcp is not None:
        from app.tools.mcp_tools import McpTools

        return McpTools(name, entry.mcp, app.config["ENVIRONMENT"], icon, app.config["OUTGOING"])
    from app.tools.openapi_tools import OpenApiTools

    assert entry.openapi is not None
    return OpenApiTools(name, entry.openapi, app.config["ENVIRONMENT"], folder, icon, app.config["OUTGOING"])


def _in_app(app: Flask, part: Callable[[], Part]) -> Callable[[], Part]:
    """Return a function that finds a part of the process in threads without an app context too: tools run in those."""

    def find() -> Part:
        with app.app_context():
            return part()

    return find
