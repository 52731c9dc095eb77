"""Tools that read pages and feeds."""

import pytest

from app.tools.tool_types import ToolFailed
from tests.tools.builtin.calls import call
from tests.tools.builtin.conftest import Site

PAGE = """<html><head><title>Our &amp; shop</title></head><body><script>var x</script><h1>Opening hours</h1>
<ul><li>9 to 5</li></ul>
<table><tr><th>Day</th><th>From</th></tr><tr><td>Mon</td><td>9</td></tr></table></body></html>"""
RSS = """<?xml version="1.0" encoding="{encoding}"?><rss version="2.0"><channel><title>News</title>
<item><title>{title}</title><link>https://e.example/1</link><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate>
<description><![CDATA[<p>First &amp; <b>last</b></p>]]></description></item>
<item><title>Two</title><link>https://e.example/2</link></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><title>One</title>
<link rel="self" href="https://e.example/self"/><link href="https://e.example/1"/><updated>2024-01-01T00:00:00Z</updated>
<summary>Short</summary></entry></feed>"""


@pytest.mark.parametrize(
    ("provider", "tool", "argument"),
    [
        ("jina", "jina_reader", "url"),
        ("langgenius/jina_tool/jina", "jina_reader", "url"),
        ("langgenius/firecrawl/firecrawl", "scrape", "url"),
        ("langgenius/tavily/tavily", "tavily_extract", "urls"),
    ],
)
def test_a_page_is_read_as_markdown(site: Site, provider: str, tool: str, argument: str) -> None:
    site.body = PAGE.encode()
    answer = call(provider, tool, site.client, **{argument: f"{site.url}/x"})
    assert answer.text.startswith(f"Title: Our & shop\nURL: {site.url}/x\n\n")
    assert "# Opening hours" in answer.text and "| Mon" in answer.text and "var x" not in answer.text
    assert answer.json[0]["title"] == "Our & shop"


def test_a_page_that_answers_with_an_error_is_told(site: Site) -> None:
    site.status = 404
    with pytest.raises(ToolFailed, match="The page answered 404"):
        call("jina", "jina_reader", site.client, url=site.url)


@pytest.mark.parametrize("tool", [("jina", "jina_reader"), ("rss", "rss")])
def test_a_page_inside_is_not_read(tool: tuple[str, str]) -> None:
    with pytest.raises(ToolFailed):
        call(*tool, url="http://127.0.0.1:1/")


@pytest.mark.parametrize(("encoding", "title"), [("UTF-8", "Eins ü"), ("gb2312", "中文"), ("windows-1251", "Привет")])
def test_a_feed_is_read_in_its_encoding(site: Site, encoding: str, title: str) -> None:
    site.body, site.kind = RSS.format(encoding=encoding, title=title).encode(encoding), "application/rss+xml"
    answer = call("langgenius/rss/rss", "rss", site.client, url=site.url)
    assert answer.json[0] == {
        "title": title,
        "link": "https://e.example/1",
        "published": "Mon, 01 Jan 2024 00:00:00 GMT",
        "summary": "First & last",
    }
    assert answer.text.startswith(f"## {title}\nhttps://e.example/1\n") and "## Two" in answer.text


def test_an_atom_feed_is_read_and_cut(site: Site) -> None:
    site.body = ATOM.encode()
    (entry,) = call("rss", "rss", site.client, url=site.url, max_results=1).json
    assert (entry["title"], entry["link"], entry["summary"]) == ("One", "https://e.example/1", "Short")


@pytest.mark.parametrize("body", [PAGE, "", '<!DOCTYPE x [<!ENTITY a "b">]><rss><item>&a;</item></rss>', "<rss/>"])
def test_what_is_no_feed_is_told(site: Site, body: str) -> None:
    site.body = body.encode()
    with pytest.raises(ToolFailed, match="feed"):
        call("rss", "rss", site.client, url=site.url)
