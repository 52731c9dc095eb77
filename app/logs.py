"""Structured logs: one JSON object per line, or coloured lines in a terminal. Each line of a request has its id.

Tokens, queries and what visitors write stay out: a request's line names its route and not its path, tracebacks have no
values of variables and only the first line of a message, and what looks like a token or a query is hidden in all lines.
"""

import logging
import re
import secrets
import sys
import time
import traceback
from types import TracebackType
from typing import Any

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger("frontdesk.web")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
NO_ROUTE = "none"
HIDDEN = "[hidden]"
# The first line of an exception's message says what happened; drivers and parsers repeat values in what follows.
LONGEST_MESSAGE = 300
# Passports and access tokens, upload tokens, form tokens and remote files in paths, passwords and queries in URLs.
_SECRETS = (
    re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"),
    re.compile(r"\bhitl_upload_[A-Za-z0-9_-]+"),
    re.compile(r"(?<=/form/human_input/)(?!<)[^/\s\"']+"),
    re.compile(r"(?<=/remote-files/)(?!<)[^\s\"']+"),
    re.compile(r"(?<=://)[^/\s\"'@]+(?=@)"),
    re.compile(r"(?<=\?)[A-Za-z0-9_.~%-]+=[^\s\"']*"),
)
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str, form: str) -> None:
    """Set up the logs of this process and of its libraries. `level`: LOG_LEVEL, `form`: LOG_FORMAT."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_render_exception),
        _hide_secrets,
    ]
    lines = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, lines],
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
    """Give each request an id, and a log line when it is answered."""
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
        route = request.url_rule.rule if request.url_rule is not None else NO_ROUTE
        log.info("request", method=request.method, route=route, status=answer.status_code, ms=milliseconds)
    return answer


def _hide_secrets(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for key, value in event.items():
        if isinstance(value, str):
            for secret in _SECRETS:
                value = secret.sub(HIDDEN, value)
            event[key] = value
    return event


def _render_exception(exc_info: ExceptionInfo) -> str:
    """Return a traceback, that of each cause included, with shortened messages."""
    kind, error, trace = exc_info
    lines: list[str] = []
    for piece in traceback.TracebackException(kind, error, trace).format():
        # Stack entries and headings end with more than one line; a piece that begins with a name is a message.
        is_message = not piece.startswith((" ", "\n", "Traceback"))
        lines.append(_shortened(piece) if is_message else piece)
    return "".join(lines).rstrip("\n")


def _shortened(message: str) -> str:
    first = message.partition("\n")[0]
    return f"{first[:LONGEST_MESSAGE]}\n"
