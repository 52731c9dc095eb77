"""The provider `rss`: read a feed, RSS or Atom."""

import html
import re
import xml.etree.ElementTree as etree
from collections.abc import Callable, Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.providers.fetch.guarded_http import GuardedHttp
from app.tools.builtin.builtin_tool import BuiltinProvider, cut, number, provider, text, tool
from app.tools.builtin.pages import fetch
from app.tools.tool_types import ToolAnswer, ToolFailed

ENTRIES = 20
MOST_ENTRIES = 100
LONGEST_SUMMARY = 1_000
_DECLARATION = re.compile(rb"\s*<\?xml[^>]*?encoding=[\"']([A-Za-z0-9._-]+)[\"'][^>]*\?>")
_TAGS = re.compile(r"<[^<>]{0,2000}>")


def feed_provider(http: Callable[[], GuardedHttp]) -> BuiltinProvider:
    """Return the provider `rss`."""
    return provider(
        "📰",
        tool(
            "rss",
            "Reads a feed (RSS or Atom) and gives its newest entries.",
            {"en_US": "RSS", "zh_Hans": "RSS"},
            lambda arguments, seconds, cancellation: _read(http(), arguments, seconds, cancellation),
            ("url",),
            url=("string", "The address of the feed"),
            max_results=("", f"How many entries; {ENTRIES} by default"),
        ),
    )


def _read(http: GuardedHttp, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
    page = fetch(http, text(arguments, "url"), seconds, cancellation)
    most = number(arguments, "max_results", "num", "limit", default=ENTRIES, least=1, most=MOST_ENTRIES)
    entries = entries_of(page.content)[:most]
    if not entries:
        raise ToolFailed("The feed has no entries.")
    lines = [
        "\n".join(
            value for value in (f"## {entry['title']}", entry["link"], entry["published"], entry["summary"]) if value
        )
        for entry in entries
    ]
    return ToolAnswer(cut("\n\n".join(lines), "feed"), json=entries)


def entries_of(content: bytes) -> list[dict[str, str]]:
    """Return the entries of a feed: title, link, published, summary. Raises ToolFailed."""
    declared = _DECLARATION.match(content[:500])
    if declared:
        # The parser knows few encodings.
        try:
            content = content[declared.end() :].decode(declared[1].decode(), "replace").encode()
        except LookupError:
            raise ToolFailed("The feed is written in an unknown encoding.") from None
    if b"<!DOCTYPE" in content[:2_000].upper() or b"<!ENTITY" in content:
        raise ToolFailed("The address gives no feed.")
    try:
        root = etree.fromstring(content)
    except (etree.ParseError, ValueError):
        raise ToolFailed("The address gives no feed.") from None
    return [_entry(item) for item in root.iter() if _name(item) in ("item", "entry")]


def _entry(item: etree.Element) -> dict[str, str]:
    parts: dict[str, str] = {}
    for child in item:
        name = _name(child)
        value = (child.text or "").strip() or child.get("href", "")
        if value and child.get("rel", "alternate") == "alternate":
            parts.setdefault(name, value)
    summary = parts.get("description") or parts.get("summary") or parts.get("content") or parts.get("encoded") or ""
    plain = " ".join(html.unescape(_TAGS.sub(" ", html.unescape(summary[: LONGEST_SUMMARY * 20]))).split())
    return {
        "title": html.unescape(parts.get("title", "")),
        "link": parts.get("link") or parts.get("guid") or parts.get("id") or "",
        "published": next((parts[name] for name in ("pubDate", "published", "updated", "date") if name in parts), ""),
        "summary": plain[:LONGEST_SUMMARY],
    }


def _name(element: etree.Element) -> str:
    return str(element.tag).rpartition("}")[2]
