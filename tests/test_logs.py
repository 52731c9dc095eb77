"""What stays out of log lines: tokens, queries, values."""

import json
import logging
import sys
import threading

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.stdlib import ProcessorFormatter

from app import logs
from app.extensions import db
from tests.support.log_lines import lines_of


def logged(message: str, *args: object, error: BaseException | None = None) -> dict[str, str]:
    """The line that the process's handler writes for a library's message."""
    formatter = next(
        handler.formatter
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, ProcessorFormatter)
    )
    info = (type(error), error, error.__traceback__) if error is not None else None
    record = logging.LogRecord("library", logging.ERROR, "file", 1, message, args, info)  # type: ignore[arg-type]
    return dict(json.loads(formatter.format(record)))


def raised(error: BaseException) -> BaseException:
    """The error with a traceback."""
    try:
        raise error
    except BaseException:
        return sys.exc_info()[1] or error


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("got eyJhbGciOiJI.eyJpc3MiOi.c2lnbmF0dXJl here", "got [hidden] here"),
        ("Bearer hitl_upload_aB3-x_9", "Bearer [hidden]"),
        ("GET /api/form/human_input/AbC123xyz/upload-token", "GET /api/form/human_input/[hidden]/upload-token"),
        ("GET /api/remote-files/https://a.example/k?s=1", "GET /api/remote-files/[hidden]"),
        ("at redis://user:secret@host:6379/0", "at redis://[hidden]@host:6379/0"),
        ("at https://a.example/p?key=secret&b=c now", "at https://a.example/p?[hidden] now"),
        ("Really? yes=no, or a question?", "Really? yes=no, or a question?"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(app: Flask, line: str, shown: str) -> None:
    assert logged("%s", line)["event"] == shown


def test_a_traceback_has_one_line_of_each_message(app: Flask) -> None:
    cause = raised(KeyError("missing"))
    error = ValueError("bad input:\nmy password is hunter2")
    error.__cause__ = cause
    trace = logged("it failed", error=raised(error))["exception"]
    assert "KeyError: 'missing'" in trace and "ValueError: bad input:" in trace and "in raised" in trace
    assert "hunter2" not in trace


def test_a_long_message_is_cut(app: Flask) -> None:
    assert len(logged("it failed", error=ValueError("x" * 5_000))["exception"]) < 400


def test_a_failed_statement_tells_no_values(app: Flask) -> None:
    with pytest.raises(DBAPIError) as failed:
        db.session.execute(text("SELECT CAST(:value AS bigint)"), {"value": "hunter2"})
    db.session.rollback()
    assert "'value'" not in str(failed.value) and "parameters hidden" in str(failed.value)


@pytest.fixture
def caught(monkeypatch):
    """What is logged of the ends that Python would print."""
    for module, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
        monkeypatch.setattr(module, name, getattr(module, name))
    monkeypatch.setattr(logging, "captureWarnings", lambda on: None)
    lines = lines_of(monkeypatch, logs)
    logs.catch_loose_ends()
    return lines


def test_a_thread_that_fails_is_a_line(caught):
    thread = threading.Thread(target=lambda: [][1])
    thread.start()
    thread.join()
    assert (caught.only["event"], caught.only["exc_info"][0]) == ("process.fault", IndexError)


def test_the_end_of_a_process_is_a_line_unless_somebody_asked_for_it(caught):
    for error in (raised(ValueError("x")), raised(KeyboardInterrupt()), raised(SystemExit(1))):
        sys.excepthook(type(error), error, error.__traceback__)
    assert caught.only["exc_info"][0] is ValueError
