"""The headers of a page: what it may load, who may frame it, what other sites learn of its address.

Scripts and styles come from this server's files alone, and nothing can be made a script of: no inline code, no `eval`,
and with Trusted Types no markup from a text. Images and sounds come from this server (files are served under
PUBLIC_URL), so that an answer cannot make a browser call another server.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PERMISSIONS = "camera=(), geolocation=(), microphone=(self), payment=(), usb=()"


def page_headers(settings: Mapping[str, Any], framable: bool) -> dict[str, str]:
    """Return the headers of a page; `framable`: pages of other sites may show it in a frame."""
    return {
        "Content-Security-Policy": _policy(settings["PUBLIC_URL"], _framers(settings, framable)),
        "Permissions-Policy": PERMISSIONS,
        # Addresses of forms are secrets; other sites learn nothing of any address.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def _framers(settings: Mapping[str, Any], framable: bool) -> str:
    """Return the origins that may frame the page; PAGES_FRAMED_BY names those that may frame every page."""
    named = " ".join(settings["PAGES_FRAMED_BY"])
    return f"'self' {named}" if named else "*" if framable else "'self'"


def _policy(public_url: str, framers: str) -> str:
    address = urlsplit(public_url)
    files = f"'self' {address.scheme}://{address.netloc}"
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            f"connect-src {files}",
            f"img-src {files} data: blob:",
            f"media-src {files} data: blob:",
            "worker-src 'self'",
            "frame-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            f"frame-ancestors {framers}",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
