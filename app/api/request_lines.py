"""One log line for each request, when its response has ended; and the id that all its lines have.

Paths and queries stay out, since they have tokens: a line names the route.
"""

import re
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import cast

import structlog
from flask import Flask, Response, g, request

from app.services.definitions.published_apps import PublishedApp

log = structlog.get_logger("frontdesk.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
NO_ROUTE = "none"
# Asked for every few seconds by machines, or beside a page.
UNTOLD_PATHS = ("/swaggerui", "/health", "/livez", "/readyz", "/metrics")
# How a stream ended: we ended it, the client went away before, or a fault of ours broke it off.
WHOLE, CLIENT_GONE, BROKEN = "whole", "client gone", "broken"


def init_app(app: Flask) -> None:
    """Give each request an id, and a log line when its response has ended."""
    app.before_request(_begin)
    app.after_request(_end)


def note_app(app: PublishedApp) -> None:
    """Let the request's line name the app that it is for."""
    g.app_code = app.code


class _CountedStream:
    """Passes the pieces of a response on, and knows how many bytes went and how it ended."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces, self._next = pieces, iter(pieces).__next__
        self.bytes, self.outcome = 0, CLIENT_GONE

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = self._next()
        except StopIteration:
            self.outcome = WHOLE
            raise
        except BaseException:
            self.outcome = BROKEN
            raise
        self.bytes += len(piece)
        return piece

    def close(self) -> None:
        if hasattr(self._pieces, "close"):
            self._pieces.close()


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    # A thread or greenlet may have served another request before.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    request_id, began = g.get("request_id", ""), g.get("began", time.perf_counter())
    response.headers["X-Trace-Id"] = request_id
    if request.path.startswith(UNTOLD_PATHS):
        return response
    line = {
        # Bound anew: what is told behind a stream is told outside of the request.
        "request_id": request_id,
        "method": request.method,
        "route": request.url_rule.rule if request.url_rule is not None else NO_ROUTE,
        "status": response.status_code,
    }
    if "app_code" in g:
        line["app"] = g.app_code
    # The server gets a file itself, and closes that alone.
    if not response.is_streamed or response.direct_passthrough:
        log.info("request", **line, ms=_milliseconds(began))
        return response
    stream = _CountedStream(cast(Iterable[bytes], response.response))
    response.response = stream
    first_ms = _milliseconds(began)
    response.call_on_close(
        lambda: log.info(
            "request",
            **line,
            ms=_milliseconds(began),
            first_ms=first_ms,
            bytes=stream.bytes,
            outcome=stream.outcome,
        )
    )
    return response


def _milliseconds(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
