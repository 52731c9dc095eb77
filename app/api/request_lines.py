"""One log line and one span for each request, until its response has ended; and the id that all its lines have.

Paths and queries stay out, since they have tokens: the route is named.
"""

import re
import secrets
import time
from collections.abc import Iterable, Iterator
from typing import cast

import structlog
from flask import Flask, Response, g, request

from app import tracing
from app.metrics.names import REQUESTS
from app.services.definitions.published_apps import PublishedApp

log = structlog.get_logger("frontdesk.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
NO_ROUTE = "none"
FAULTS = 500
# Asked for every few seconds by machines, or beside a page.
UNTOLD_PATHS = ("/swaggerui", "/health", "/livez", "/readyz", "/metrics")
# How a stream ended: we ended it, the client went away before, or a fault of ours broke it off.
WHOLE, CLIENT_GONE, BROKEN = "whole", "client gone", "broken"


def init_app(app: Flask) -> None:
    """Give each request an id, and a log line when its response has ended."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_leave)


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
    if not request.path.startswith(UNTOLD_PATHS):
        attributes = {
            "http.request.method": request.method,
            "http.route": _route(),
            "frontdesk.request_id": g.request_id,
        }
        parent = request.headers.get("traceparent")
        g.span = tracing.span(f"{request.method} {_route()}", attributes, kind="server", parent=parent)
        g.span.activate()
        trace_id = tracing.trace_id_of(tracing.current_traceparent())
        if trace_id is not None:
            structlog.contextvars.bind_contextvars(trace_id=trace_id)


def _leave(_: BaseException | None) -> None:
    if "span" in g:
        g.span.deactivate()


def _end(response: Response) -> Response:
    request_id, began = g.get("request_id", ""), g.get("began", time.perf_counter())
    response.headers["X-Trace-Id"] = request_id
    if request.path.startswith(UNTOLD_PATHS):
        return response
    REQUESTS.add(str(response.status_code))
    line = {
        # Bound anew: what is told behind a stream is told outside of the request.
        "request_id": request_id,
        "method": request.method,
        "route": _route(),
        "status": response.status_code,
    }
    if "app_code" in g:
        line["app"] = g.app_code
    span = g.get("span", tracing.NO_SPAN)
    span.set({"http.response.status_code": response.status_code, "frontdesk.app": line.get("app")})
    if response.status_code >= FAULTS:
        span.fail(str(response.status_code))
    # The server gets a file itself, and closes that alone.
    if not response.is_streamed or response.direct_passthrough:
        log.info("request", **line, ms=_milliseconds(began))
        span.end()
        return response
    stream = _CountedStream(cast(Iterable[bytes], response.response))
    response.response = stream
    first_ms = _milliseconds(began)

    def tell() -> None:
        outcome = {"bytes": stream.bytes, "outcome": stream.outcome}
        log.info("request", **line, ms=_milliseconds(began), first_ms=first_ms, **outcome)
        span.set({"http.response.body.size": stream.bytes, "frontdesk.outcome": stream.outcome})
        span.end()

    response.call_on_close(tell)
    return response


def _route() -> str:
    return request.url_rule.rule if request.url_rule is not None else NO_ROUTE


def _milliseconds(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
