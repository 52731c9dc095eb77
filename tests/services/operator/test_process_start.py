"""What a serving process begins with: metrics where they are on, and a line where the tables do not fit the code."""

import pathlib

import pytest
from flask import Flask

from app.metrics import recording
from app.services.operator import process_start
from app.services.operator.schema import CodeSchema
from app.services.process import process_parts
from app.services.process.process_parts import parts_of
from tests.support.log_lines import lines_of
from tests.support.metrics import scraped, value


@pytest.fixture
def own_app(app: Flask, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app as in a process that has no parts yet, with metrics on."""
    monkeypatch.setitem(app.extensions, "process_parts", process_parts.ProcessParts())
    monkeypatch.setitem(app.extensions, "code_schema", app.extensions["code_schema"])
    monkeypatch.setitem(app.config, "METRICS_TOKEN", "a token")
    monkeypatch.setitem(app.config, "METRICS_DIR", tmp_path / "metrics")
    return app


@pytest.fixture
def lines(monkeypatch):
    return lines_of(monkeypatch, process_start)


def stand_at(app: Flask, newest: str, *known: str) -> None:
    """Let the code need these tables; the database has those of the real code."""
    app.extensions["code_schema"] = CodeSchema(frozenset({newest, *known}), frozenset({newest}))


def test_a_process_counts_until_its_parts_are_closed(own_app):
    process_start.start_metrics(own_app, "worker")
    folder = own_app.config["METRICS_DIR"]
    during = scraped(folder)
    parts_of(own_app).close()
    assert value(during, "frontdesk_processes", process="worker") == 1
    assert value(during, "frontdesk_database_connections_limit", process="worker", pool="statements") == 10
    assert not recording.is_on() and value(scraped(folder), "frontdesk_processes") == 0


def test_without_a_token_and_a_port_nothing_is_counted(own_app):
    own_app.config["METRICS_TOKEN"] = ""
    process_start.start_metrics(own_app, "worker")
    assert not recording.is_on() and not own_app.config["METRICS_DIR"].exists()


def test_a_folder_that_cannot_be_used_is_told_and_nothing_else_stops(own_app, lines):
    own_app.config["METRICS_DIR"].write_text("a file")
    process_start.start_metrics(own_app, "worker")
    assert lines.only["event"] == "metrics.off" and not recording.is_on()


def test_a_worker_waits_for_its_tables_and_says_so_once(own_app, lines, monkeypatch):
    ours = own_app.extensions["code_schema"]
    stand_at(own_app, "next", *ours.known)
    looks = []

    def upgraded_by_the_third_look(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            own_app.extensions["code_schema"] = ours

    monkeypatch.setattr(process_start.time, "sleep", upgraded_by_the_third_look)
    process_start.wait_for_schema(own_app)
    assert len(looks) == 3
    assert (lines.only["event"], lines.only["tables"], lines.only["expected"]) == ("schema.old", "old", "next")
    assert "flask --app wsgi db upgrade" in lines.only["what_to_do"]


def test_tables_newer_than_the_code_stop_no_worker(own_app, lines):
    stand_at(own_app, "0001")
    process_start.wait_for_schema(own_app)
    assert lines.only["event"] == "schema.newer"


def test_a_database_that_is_away_stops_no_worker(own_app, lines, monkeypatch):
    def away() -> None:
        raise process_start.SQLAlchemyError

    monkeypatch.setattr(process_start, "schema_state", away)
    process_start.wait_for_schema(own_app)
    assert lines.lines == []


def test_tables_that_fit_are_not_told(own_app, lines):
    process_start.wait_for_schema(own_app)
    assert lines.lines == []
