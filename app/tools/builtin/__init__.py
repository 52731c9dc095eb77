"""The tools that need no tools file, by the names that app files give them and their providers."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from app.providers.fetch.guarded_http import GuardedHttp
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.providers.models.routes import ModelRoutes
from app.tools.builtin.builtin_tool import BuiltinProvider
from app.tools.builtin.calculator import calculator_provider
from app.tools.builtin.exports import export_providers
from app.tools.builtin.feeds import feed_provider
from app.tools.builtin.json_tools import json_provider
from app.tools.builtin.pages import page_providers
from app.tools.builtin.search_engines import SearchEngine, SearchSettings
from app.tools.builtin.speech_tools import audio_provider
from app.tools.builtin.text_tools import csv_provider, regex_provider
from app.tools.builtin.times import time_provider
from app.tools.builtin.web_search import search_providers

if TYPE_CHECKING:
    from app.providers.sandbox import Sandbox


def builtin_providers(
    http: Callable[[], GuardedHttp],
    sandbox: Callable[[], "Sandbox"],
    routes: Callable[[], ModelRoutes],
    search: SearchSettings | None = None,
    outgoing: Outgoing = WITHOUT_PROXY,
) -> dict[str, BuiltinProvider]:
    """Return the built-in providers by name. Without `search` there are no tools for the Web's search.

    `http`, `sandbox` and `routes` are called when a tool needs one; `outgoing`: the ways to the search engine.
    """
    calculator, json_tools = calculator_provider(sandbox), json_provider()
    providers = {
        "time": time_provider(),
        "calculator": calculator,
        "maths": calculator,
        "json_process": json_tools,
        "regex": regex_provider(),
        "csv": csv_provider(),
        "rss": feed_provider(http),
        "audio": audio_provider(routes),
        **export_providers(),
    }
    searching = search_providers(SearchEngine(search, outgoing)) if search is not None else {}
    for more in (page_providers(http), searching):
        for name, provider in more.items():
            known = providers.get(name)
            tools = [*(known.all_tools if known is not None else ()), *provider.all_tools]
            providers[name] = BuiltinProvider(provider.icon, tools)
    return providers
