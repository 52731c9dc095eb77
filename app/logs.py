"""Structured logs: one JSON object per line, or coloured lines in a terminal. Each line of a request has its id."""

import logging
import re
import secrets
import sys
import time
from typing import Any

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("frontdesk.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def configure(level: str, form: str) -> None:
    """Set up the logs of this process and of its libraries. `level`: LOG_LEVEL, `form`: LOG_FORMAT."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    lines = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, lines] if form == "json" else [*shared, lines],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared], processor=lines
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell too much at INFO.
    root.setLevel(level if level != "INFO" else logging.WARNING)


def init_app(app: Flask) -> None:
    """Give each request an id, and a log line when it is answered; bodies, queries and tokens are never logged."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    g.began = time.perf_counter()
    # A thread or greenlet may have served another request before.
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(answer: Response) -> Response:
    answer.headers["X-Trace-Id"] = g.get("request_id", "")
    if not request.path.startswith(("/swaggerui", "/health")):
        milliseconds = round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1)
        log.info("request", method=request.method, path=request.path, status=answer.status_code, ms=milliseconds)
    return answer
