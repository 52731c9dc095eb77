"""The tools that apps of this installation may call: built-in ones, and those of TOOLS_FILE."""

import pathlib
from collections.abc import Callable

from flask import Flask, current_app

from app.providers.operator_files import InvalidOperatorFile
from app.services.definitions.app_file import AppDefinition
from app.services.process.process_parts import Part, process_parts
from app.services.process.providers import guarded_http, sandbox
from app.tools.builtin_tools import builtin_providers
from app.tools.registry import ToolProvider, ToolRegistry
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
            tool_registry().find(choice)
        except ToolFailed as failure:
            sentences.append(failure.cause)
        except InvalidOperatorFile as invalid:
            sentences.append(str(invalid))
    return sentences


def _load() -> ToolRegistry:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    path = pathlib.Path(app.config["TOOLS_FILE"]) if app.config["TOOLS_FILE"] else None
    file = read_tool_file(path) if path is not None else ToolsFile()
    providers: dict[str, ToolProvider] = dict(builtin_providers(_in_app(app, guarded_http), _in_app(app, sandbox)))
    for name, entry in file.providers.items():
        providers[name] = _provider(app, name, entry, path.parent if path is not None else pathlib.Path())
    names = {(entry.provider, entry.tool): (entry.use.provider, entry.use.tool) for entry in file.names}
    return ToolRegistry(providers, names)


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
