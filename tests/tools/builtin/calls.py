"""Call built-in tools as apps do: found by provider and tool name, arguments checked."""

from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.models.routes import ModelRoutes
from app.providers.sandbox import Sandbox
from app.tools.builtin import builtin_providers
from app.tools.builtin.search_engines import SearchSettings
from app.tools.registry import ToolRegistry
from app.tools.tool_types import ReadFile, ToolAnswer, ToolChoice

SANDBOX = Sandbox()


def registry(
    http: GuardedHttp | None = None, search: SearchSettings | None = None, routes: ModelRoutes | None = None
) -> ToolRegistry:
    """The tools of an installation without a tools file, but for its search engine."""
    known = routes or ModelRoutes.from_settings("", "", "", "", {})
    providers = builtin_providers(lambda: http or GuardedHttp(), lambda: SANDBOX, lambda: known, search)
    names = {("langgenius/google/google", "ask"): ("calculator", "calculator")}
    return ToolRegistry(providers, names, builtin=list(providers))


def call(
    provider: str,
    tool: str,
    http: GuardedHttp | None = None,
    settings: dict[str, Any] | None = None,
    search: SearchSettings | None = None,
    routes: ModelRoutes | None = None,
    read: ReadFile | None = None,
    **arguments: Any,
) -> ToolAnswer:
    """Call a tool of an app file."""
    choice = ToolChoice("builtin", provider, tool, settings=settings or {})
    return registry(http, search, routes).find(choice, read).call(arguments, 10, Cancellation())
