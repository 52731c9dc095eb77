"""Web search under all its names."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.providers.cancellation import Cancellation
from app.providers.http.outgoing import Outgoing
from app.tools.builtin.search_engines import SearchEngine, SearchRequest, SearchSettings
from app.tools.tool_types import ToolChoice, ToolFailed
from tests.support.proxy_server import ProxyServer
from tests.support.raw_server import RawServer, say
from tests.tools.builtin.calls import call, registry
from tests.tools.builtin.conftest import Site

FOUND = {"results": [{"title": "One", "url": "https://e.example/1", "content": " First\npage "}, {"title": "no url"}]}


def answering(site: Site, answer: Any = None, kind: str = "searxng") -> SearchSettings:
    site.body, site.kind = json.dumps(FOUND if answer is None else answer).encode(), "application/json"
    return SearchSettings(kind, site.url, "sk-search", "cx-1")


@pytest.mark.parametrize(
    ("provider", "tool"),
    [
        ("google", "google_search"),
        ("langgenius/google/google", "google_search"),
        ("langgenius/tavily/tavily", "tavily_search"),
        ("duckduckgo", "ddgo_search"),
        ("langgenius/searxng/searxng", "searxng_search"),
        ("bing", "bing_web_search"),
        ("langgenius/serper/serper", "serper"),
        ("langgenius/brave/brave", "brave_search"),
        ("someone/else/else", "tavily_search"),
    ],
)
def test_one_engine_answers_for_every_name(site: Site, provider: str, tool: str) -> None:
    answer = call(provider, tool, search=answering(site), query="opening hours")
    assert answer.text == "1. [One](https://e.example/1)\nFirst page"
    assert parse_qs(urlsplit(site.asked[0][0]).query)["q"] == ["opening hours"]


@pytest.mark.parametrize(
    ("kind", "answer", "path"),
    [
        ("tavily", {"results": [{"title": "T", "url": "https://u", "content": "C"}]}, "/search"),
        ("brave", {"web": {"results": [{"title": "T", "url": "https://u", "description": "C"}]}}, "/res/v1/web/search"),
        ("serper", {"organic": [{"title": "T", "link": "https://u", "snippet": "C"}]}, "/search"),
        ("google", {"items": [{"title": "T", "link": "https://u", "snippet": "C"}]}, "/customsearch/v1"),
    ],
)
def test_each_engine_is_asked_in_its_own_way(site: Site, kind: str, answer: Any, path: str) -> None:
    found = call("google", "google_search", search=answering(site, answer, kind), query="q", count="3")
    assert found.text == "1. [T](https://u)\nC"
    asked, headers, body = site.asked[0]
    assert urlsplit(asked).path == path and "sk-search" in f"{asked} {headers}"
    assert "q" in (json.loads(body).values() if body else parse_qs(urlsplit(asked).query)["q"])


def test_results_have_the_form_that_the_provider_s_own_tool_gives(site: Site) -> None:
    search = answering(site)
    one = {"title": "One", "url": "https://e.example/1", "content": "First page"}
    assert call("tavily", "tavily_search", search=search, query="q").json == [{"query": "q", "results": [one]}]
    assert call("searxng", "searxng_search", search=search, query="q").json == [one]
    google = call("google", "google_search", search=search, query="q").json[0]
    assert google["organic_results"][0]["link"] == "https://e.example/1"


def test_settings_of_app_files_are_followed(site: Site) -> None:
    settings = {
        "max_results": 1,
        "search_depth": "basic",
        "include_answer": 1,
        "exclude_domains": "a.example, b.example",
    }
    many = {"results": [{"title": str(at), "url": f"https://{at}", "content": ""} for at in range(9)]}
    search = answering(site, many)
    answer = call("tavily", "tavily_search", settings=settings, search=search, query="q", time_range="week")
    query = parse_qs(urlsplit(site.asked[0][0]).query)
    assert len(answer.json[0]["results"]) == 1
    assert (query["q"], query["time_range"]) == (["q -site:a.example -site:b.example"], ["week"])


@pytest.mark.parametrize(("status", "problem"), [(401, "answered 401"), (200, "did not answer in JSON")])
def test_an_engine_that_fails_is_told_without_its_address(site: Site, status: int, problem: str) -> None:
    search = answering(site)
    site.status, site.body = status, b"<html>"
    with pytest.raises(ToolFailed, match=problem) as failed:
        call("google", "google_search", search=search, query="q")
    assert "127.0.0.1" not in str(failed.value) and "sk-search" not in str(failed.value)


def test_an_engine_that_is_away_is_told() -> None:
    with pytest.raises(ToolFailed, match="The web search cannot be reached"):
        call("google", "google_search", search=SearchSettings("searxng", "http://127.0.0.1:1"), query="q")


def test_without_an_engine_there_is_no_such_tool() -> None:
    with pytest.raises(ToolFailed, match="'google_search' of 'google' is not set up here"):
        registry().find(ToolChoice("builtin", "google", "google_search"))


def test_another_service_s_tool_is_not_taken_for_ours(site: Site) -> None:
    with pytest.raises(ToolFailed):
        registry(search=answering(site)).find(ToolChoice("api", "shop", "google_search"))


def test_an_engine_behind_a_proxy_is_asked_through_it() -> None:
    found = b'{"results": [{"title": "T", "url": "http://found.test/", "content": "C"}]}'
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(found)
    with RawServer(say(head + found)) as server, ProxyServer() as proxy:
        settings = SearchSettings("searxng", f"http://search.test:{server.port}")
        engine = SearchEngine(settings, Outgoing(http=proxy.url))
        results = engine.search(SearchRequest("q", 5), 5.0, Cancellation())
        assert [result.url for result in results] == ["http://found.test/"]
        assert proxy.requests[0].startswith(f"GET http://search.test:{server.port}/")
