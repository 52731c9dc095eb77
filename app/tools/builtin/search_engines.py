"""Ask a search engine that the operator has set up (`search` in TOOLS_FILE), and read its answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.public_addresses import AllowedAddresses
from app.providers.fetch.request_gate import FetchFailed
from app.providers.http.outgoing import WITHOUT_PROXY, Outgoing
from app.tools.tool_types import ToolFailed

LARGEST_ANSWER = 4 * 1024 * 1024
LONGEST_QUERY = 1_000
LONGEST_CONTENT = 2_000
SECONDS = 30.0


@dataclass(frozen=True)
class SearchResult:
    """One page that was found."""

    title: str
    url: str
    content: str


@dataclass(frozen=True)
class SearchRequest:
    """What is asked for. `recent`: `day`, `week`, `month`, `year`, or empty for any time. `news`: news alone."""

    query: str
    most: int
    recent: str = ""
    language: str = ""
    news: bool = False


@dataclass(frozen=True)
class SearchSettings:
    """The search engine of an installation. `kind`: a key of ENGINES; `site`: the id of a Google search engine."""

    kind: str
    url: str = ""
    key: str = ""
    site: str = ""


@dataclass(frozen=True)
class _Call:
    """A request to an engine. `body`: JSON for POST; None for GET."""

    url: str
    params: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] | None = None
    body: Any = None


@dataclass(frozen=True)
class Engine:
    """A kind of search engine: its address, the request that it takes, and where its answer has the results."""

    url: str
    call: Callable[[str, SearchSettings, SearchRequest], _Call]
    path: tuple[str, ...]
    names: tuple[str, str, str] = ("title", "url", "content")


class SearchEngine:
    """Finds pages in the Web. Shared by all threads. The address that the operator set may be a private one."""

    def __init__(self, settings: SearchSettings, outgoing: Outgoing = WITHOUT_PROXY) -> None:
        self._settings, self._engine = settings, ENGINES[settings.kind]
        self._url = (settings.url or self._engine.url).rstrip("/")
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        self._http = GuardedHttp(AllowedAddresses([f"{host}:{port}"] if settings.url else []), outgoing)

    def search(self, request: SearchRequest, seconds: float, cancellation: Cancellation) -> list[SearchResult]:
        """Return what is found, best first. Raises ToolFailed, Cancelled."""
        answer: Any = self._ask(self._engine.call(self._url, self._settings, request), seconds, cancellation)
        for step in self._engine.path:
            answer = answer.get(step) if isinstance(answer, dict) else None
        title, url, content = self._engine.names
        found = [
            SearchResult(_text(item.get(title)), _text(item.get(url)), _text(item.get(content)))
            for item in (answer if isinstance(answer, list) else [])
            if isinstance(item, dict) and item.get(url)
        ]
        return found[: request.most]

    def _ask(self, call: _Call, seconds: float, cancellation: Cancellation) -> Any:
        headers = dict(call.headers or {}) | {"Accept": "application/json"}
        body = None
        if call.body is not None:
            headers["Content-Type"], body = "application/json", orjson.dumps(call.body)
        try:
            with self._http.request(
                "GET" if body is None else "POST",
                call.url,
                headers=headers,
                params=call.params,
                data=body,
                limits=Limits(total=min(seconds, SECONDS), size=LARGEST_ANSWER),
                cancellation=cancellation,
            ) as answer:
                if answer.status != 200:
                    raise ToolFailed(f"The web search answered {answer.status}.")
                return orjson.loads(answer.read())
        except FetchFailed:
            raise ToolFailed("The web search cannot be reached.") from None
        except orjson.JSONDecodeError:
            raise ToolFailed("The web search did not answer in JSON.") from None


def _searxng(url: str, settings: SearchSettings, request: SearchRequest) -> _Call:
    params = [("q", request.query), ("format", "json"), ("categories", "news" if request.news else "general")]
    params += [("time_range", request.recent)] if request.recent else []
    params += [("language", request.language)] if request.language else []
    return _Call(f"{url}/search", params)


def _tavily(url: str, settings: SearchSettings, request: SearchRequest) -> _Call:
    body: dict[str, Any] = {"query": request.query, "max_results": request.most}
    body |= {"time_range": request.recent} if request.recent else {}
    body |= {"topic": "news"} if request.news else {}
    return _Call(f"{url}/search", headers={"Authorization": f"Bearer {settings.key}"}, body=body)


def _brave(url: str, settings: SearchSettings, request: SearchRequest) -> _Call:
    params = [("q", request.query), ("count", str(request.most))]
    params += [("freshness", f"p{request.recent[0]}")] if request.recent else []
    return _Call(f"{url}/res/v1/web/search", params, {"X-Subscription-Token": settings.key})


def _serper(url: str, settings: SearchSettings, request: SearchRequest) -> _Call:
    body: dict[str, Any] = {"q": request.query, "num": request.most}
    body |= {"tbs": f"qdr:{request.recent[0]}"} if request.recent else {}
    body |= {"hl": request.language} if request.language else {}
    return _Call(f"{url}/search", headers={"X-API-KEY": settings.key}, body=body)


def _google(url: str, settings: SearchSettings, request: SearchRequest) -> _Call:
    params = [("key", settings.key), ("cx", settings.site), ("q", request.query), ("num", str(min(request.most, 10)))]
    params += [("dateRestrict", f"{request.recent[0]}1")] if request.recent else []
    return _Call(f"{url}/customsearch/v1", params)


ENGINES: Mapping[str, Engine] = {
    "searxng": Engine("", _searxng, ("results",)),
    "tavily": Engine("https://api.tavily.com", _tavily, ("results",)),
    "brave": Engine("https://api.search.brave.com", _brave, ("web", "results"), ("title", "url", "description")),
    "serper": Engine("https://google.serper.dev", _serper, ("organic",), ("title", "link", "snippet")),
    "google": Engine("https://www.googleapis.com", _google, ("items",), ("title", "link", "snippet")),
}


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())[:LONGEST_CONTENT]
