"""Structured logs: one JSON object per line, or coloured lines in a terminal, whoever in the process writes them.

Tokens, queries and what visitors write stay out: tracebacks have no values of variables and only the first line of a
message, and what looks like a token or a query is hidden in all lines.
"""

import logging
import re
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog

log = structlog.get_logger(__name__)

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


def line_formatter() -> logging.Formatter | None:
    """Return what `configure` formats the lines of libraries with, for handlers that are not the root's."""
    return logging.getLogger().handlers[0].formatter


def catch_loose_ends() -> None:
    """Log what Python prints otherwise: warnings, and exceptions that nobody catches. For processes that serve."""
    logging.captureWarnings(True)
    sys.excepthook = log_uncaught
    threading.excepthook = lambda failed: log_uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    sys.unraisablehook = lambda failed: log_uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def log_uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Log an exception that ended a thread, a greenlet or the process."""
    if not issubclass(kind, KeyboardInterrupt | SystemExit):
        log.error("process.fault", exc_info=(kind, error or kind(), trace))


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
