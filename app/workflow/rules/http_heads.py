"""Addresses and headers of HTTP nodes, as HTTP can carry them (contract dsl.md §3.7)."""

import re
import urllib.parse
from collections.abc import Mapping

from app.workflow.failures import NodeFailed

_START = re.compile(r"\s*(https?://[^/?#]*)", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def url_of(text: str) -> str:
    """Return the URL of a filled-in text: blanks and all that cannot stand in a URL are percent-encoded, but the host.

    Raises NodeFailed where it does not begin with http:// or https://.
    """
    start = _START.match(text)
    if start is None:
        raise NodeFailed("The url should start with http:// or https://", "InvalidURLError")
    rest = text[start.end() :].strip()
    return start[1] + "".join(sign if _may_stand(sign) else urllib.parse.quote(sign, errors="replace") for sign in rest)


def _may_stand(sign: str) -> bool:
    return sign.isprintable() and sign not in ' \\"<>^`{|}'


def with_content_type(headers: Mapping[str, str], content_type: str) -> dict[str, str]:
    """Return headers with the type of the body. The author's own wins, unless it lacks the boundary of a form."""
    own = next((name for name in headers if name.lower() == "content-type"), None)
    if own is None:
        return {**headers, "Content-Type": content_type}
    is_form = content_type.startswith("multipart/") and headers[own].lower().startswith("multipart/")
    return {**headers, own: content_type} if is_form else dict(headers)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise NodeFailed, which names the header, for one that HTTP cannot carry."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise NodeFailed(f"The header {name[:100]!r} cannot be sent: its name is not valid.", "InvalidHeaderError")
        if _CONTROL.search(value):
            problem = "line breaks or control characters"
        elif any(ord(sign) > 255 for sign in value):
            problem = "characters outside of Latin-1"
        else:
            continue
        raise NodeFailed(f"The header {name[:100]!r} cannot be sent: its value has {problem}.", "InvalidHeaderError")
