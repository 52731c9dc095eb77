"""Web search under the names that app files give it: one engine answers for all of them."""

from collections.abc import Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, BuiltinTool, number, provider, text, tool
from app.tools.builtin.search_engines import LONGEST_QUERY, SearchEngine, SearchRequest, SearchResult
from app.tools.tool_types import ToolAnswer, ToolFailed

RESULTS = 5
MOST_RESULTS = 20
MOST_SITES = 10
# Provider → its search tools, as app files write them. Those of `news` find news alone.
NAMES: Mapping[str, tuple[str, ...]] = {
    "google": ("google_search",),
    "tavily": ("tavily_search",),
    "duckduckgo": ("ddgo_search", "ddg_search", "duckduckgo_search", "ddgo_news"),
    "searxng": ("searxng_search",),
    "bing": ("bing_web_search", "bing_search"),
    "serper": ("serper", "serper_search", "google_search"),
    "searchapi": ("google_search_api", "google_news_api"),
    "serpapi": ("google_search",),
    "brave": ("brave_search",),
    "exa": ("exa_search",),
    "jina": ("jina_search",),
    "bocha": ("bocha_web_search", "web_search"),
    "websearch": ("web_search", "websearch"),
}
_NEWS = ("ddgo_news", "google_news_api")
# How files write `time_range` and its like → how engines are asked.
_RECENT = {"d": "day", "1d": "day", "w": "week", "1w": "week", "m": "month", "1m": "month", "y": "year", "1y": "year"}


def search_providers(engine: SearchEngine) -> dict[str, BuiltinProvider]:
    """Return the providers by their names."""
    return {name: provider("🔍", *(_search(name, one, engine) for one in tools)) for name, tools in NAMES.items()}


def _search(of: str, name: str, engine: SearchEngine) -> BuiltinTool:
    def answer(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        request = _request(arguments, name in _NEWS)
        results = engine.search(request, seconds, cancellation)
        lines = [f"{at}. [{one.title}]({one.url})\n{one.content}".strip() for at, one in enumerate(results, 1)]
        return ToolAnswer("\n\n".join(lines) or "Nothing was found.", json=_shaped(of, request.query, results))

    return tool(
        name,
        "Searches the Web and gives titles, addresses and extracts of the pages that were found.",
        {"en_US": "Web search", "zh_Hans": "网页搜索"},
        answer,
        ("query",),
        query=("string", "What to search for"),
        max_results=("", f"How many results; {RESULTS} by default"),
        count=("", "How many results, in the place of max_results"),
        num_results=("", "How many results, in the place of max_results"),
        topK=("", "How many results, in the place of max_results"),
        limit=("", "How many results, in the place of max_results"),
        time_range=("", "day, week, month or year"),
        language=("", "The language of the results, such as de"),
        topic=("", "`news` for news alone"),
        include_domains=("", "Only pages of these sites, separated by commas"),
        exclude_domains=("", "No pages of these sites"),
    )


def _request(arguments: Mapping[str, Any], news: bool) -> SearchRequest:
    query = text(arguments, "query", "q", "keyword").strip()
    if not query:
        raise ToolFailed("The query is empty.")
    if len(query) > LONGEST_QUERY:
        raise ToolFailed(f"The query is longer than {LONGEST_QUERY} characters.")
    wanted = _sites(arguments.get("include_domains"))
    query = " ".join(
        [
            query,
            *(["(" + " OR ".join(f"site:{site}" for site in wanted) + ")"] if wanted else []),
            *(f"-site:{site}" for site in _sites(arguments.get("exclude_domains"))),
        ]
    )
    recent = text(arguments, "time_range", "freshness", "search_recency_filter").strip().lower()
    recent = _RECENT.get(recent, recent if recent in _RECENT.values() else "")
    most = number(
        arguments,
        "max_results",
        "count",
        "num_results",
        "num",
        "topK",
        "limit",
        default=RESULTS,
        least=1,
        most=MOST_RESULTS,
    )
    language = text(arguments, "language", "hl").strip().split("-")[0]
    news = news or text(arguments, "topic") == "news"
    return SearchRequest(query, most, recent, language if language.isalpha() else "", news)


def _sites(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else str(value or "").replace(",", " ").split()
    return [site for site in map(str, listed) if site and all(sign.isalnum() or sign in ".-" for sign in site)][
        :MOST_SITES
    ]


def _shaped(of: str, query: str, results: list[SearchResult]) -> list[dict[str, Any]]:
    """Return the results in the form in which the provider's own tool gives them: code nodes read it."""
    if of in ("google", "serper", "serpapi", "searchapi"):
        listed = [
            {"position": at, "title": one.title, "link": one.url, "snippet": one.content}
            for at, one in enumerate(results, 1)
        ]
        return [{"organic_results": listed, "organic": listed}]
    listed = [{"title": one.title, "url": one.url, "content": one.content} for one in results]
    return [{"query": query, "results": listed}] if of == "tavily" else listed
