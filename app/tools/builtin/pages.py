"""Tools that read web pages: the providers `webscraper` and `jina`, and what else app files call such tools."""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from app.providers.cancellation import Cancellation
from app.providers.documents.document_texts import (
    DocumentUnreadable,
    DocumentUnsupported,
    extract_passages,
    extract_text,
)
from app.providers.fetch.guarded_http import GuardedHttp, Limits
from app.providers.fetch.request_gate import FetchFailed
from app.tools.builtin.builtin_tool import BuiltinProvider, BuiltinTool, cut, provider, text, tool
from app.tools.tool_types import ToolAnswer, ToolFailed

LARGEST_PAGE = 4 * 1024 * 1024
PAGE_SECONDS = 30.0
MOST_PAGES = 5
PAGE_TOOL = "webscraper"
# The tools that read pages by the parser of documents.
READERS = (PAGE_TOOL, "jina_reader", "scrape", "tavily_extract", "single_crawl")
_BETWEEN_ADDRESSES = re.compile(r"[\s,]+")
_TITLE = re.compile(rb"<title[^>]{0,200}>([^<]{0,500})</title", re.IGNORECASE)
_ADDRESS = ("string", "The address of the page, http or https")


@dataclass(frozen=True)
class Page:
    """What an address gave. `kind`: its Content-Type."""

    url: str
    content: bytes
    kind: str


def fetch(http: GuardedHttp, url: str, seconds: float, cancellation: Cancellation) -> Page:
    """Return what an address gives. Raises ToolFailed, Cancelled."""
    url = url.strip()
    if url and "://" not in url:
        url = f"https://{url}"
    limits = Limits(total=min(seconds, PAGE_SECONDS), size=LARGEST_PAGE)
    try:
        with http.request("GET", url, limits=limits, cancellation=cancellation) as answer:
            if answer.status >= 400:
                raise ToolFailed(f"The page answered {answer.status}.")
            return Page(answer.url, answer.read(), answer.headers.get("Content-Type", "text/html"))
    except FetchFailed as failure:
        raise ToolFailed(str(failure)) from None


def page_providers(http: Callable[[], GuardedHttp]) -> dict[str, BuiltinProvider]:
    """Return the providers by the names that app files give them."""
    scraper = tool(
        PAGE_TOOL,
        "Reads a web page and gives its text.",
        {"en_US": "Web page", "zh_Hans": "网页"},
        lambda arguments, seconds, cancellation: _text(
            fetch(http(), text(arguments, "url"), seconds, cancellation), seconds, cancellation
        ),
        ("url",),
        url=_ADDRESS,
    )

    def reader(name: str, *parameters: str) -> BuiltinTool:
        described = dict.fromkeys(parameters, _ADDRESS)
        return tool(
            name,
            "Reads a web page and gives its content as Markdown.",
            {"en_US": "Read page", "zh_Hans": "读取网页"},
            lambda arguments, seconds, cancellation: _read(http(), text(arguments, *parameters), seconds, cancellation),
            parameters[:1],
            **described,
        )

    return {
        PAGE_TOOL: provider("🌐", scraper),
        "jina": provider("🌐", reader("jina_reader", "url")),
        "firecrawl": provider("🌐", reader("scrape", "url")),
        "crawl4ai": provider("🌐", reader("single_crawl", "url")),
        "tavily": provider("🌐", reader("tavily_extract", "urls")),
    }


def _read(http: GuardedHttp, addresses: str, seconds: float, cancellation: Cancellation) -> ToolAnswer:
    """Read one page, or several whose addresses are separated by commas or blanks."""
    found = []
    for address in list(dict.fromkeys(_BETWEEN_ADDRESSES.split(addresses.strip())))[:MOST_PAGES]:
        page = fetch(http, address, seconds, cancellation)
        match = _TITLE.search(page.content[:100_000])
        title = " ".join(html.unescape(match[1].decode("utf-8", "replace")).split()) if match else ""
        found.append({"title": title, "url": page.url, "content": _markdown(page, seconds, cancellation)})
    texts = [f"Title: {page['title']}\nURL: {page['url']}\n\n{page['content']}" for page in found]
    return ToolAnswer("\n\n".join(texts), json=found)


def _markdown(page: Page, seconds: float, cancellation: Cancellation) -> str:
    try:
        passages = extract_passages(page.content, _extension(page), page.kind, seconds, cancellation)
    except (DocumentUnsupported, DocumentUnreadable) as failure:
        raise ToolFailed(str(failure)) from None
    return cut("\n\n".join(passage.text for passage in passages).strip(), "page")


def _text(page: Page, seconds: float, cancellation: Cancellation) -> str:
    try:
        return cut(extract_text(page.content, _extension(page), page.kind, seconds, cancellation).strip(), "page")
    except (DocumentUnsupported, DocumentUnreadable) as failure:
        raise ToolFailed(str(failure)) from None


def _extension(page: Page) -> str:
    return "txt" if page.kind.startswith("text/plain") else ""
