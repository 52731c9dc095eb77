"""What an installation tells from start to stop: each line is a JSON object, and each request a trace."""

import contextlib
import json
import pathlib
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from signal import SIGTERM
from typing import Any

import pytest
import requests

from app.embedded.ports import ReservedPort
from tests.support.child import COMMANDS, Child
from tests.support.factories import make_app
from tests.support.otlp_collector import OtlpCollector
from tests.support.paths import PROJECT
from tests.support.visitor import Visitor, wait_until

PROCESSES = ("web", "worker", "housekeeping", "beat")
START_SECONDS = 40
STOP_SECONDS = 20


def command_of(process: str, folder: pathlib.Path) -> list[str]:
    """The README's line for a process; beat's files lie in the test's folder."""
    (line,) = re.findall(rf"^\| {process} \| `([^`]+)`", (PROJECT / "README.md").read_text(), re.MULTILINE)
    program, *options = shlex.split(line.replace("/var/lib/frontdesk", str(folder)))
    return [sys.executable, "-m", pathlib.Path(program).name, *options]


class Installation:
    """The README's four processes on the servers of the tests, each with a log of its own."""

    def __init__(self, folder: pathlib.Path, settings: Mapping[str, str], collector: OtlpCollector) -> None:
        self.folder, self.port, self.collector = folder, ReservedPort(), collector
        given = {"PORT": str(self.port), "WEB_WORKERS": "1", "LOG_LEVEL": "INFO", "DRAIN_SECONDS": "1"}
        # A Redis of its own: other tests leave tasks behind.
        own = {"REDIS_URL": f"{settings['REDIS_URL']}?db=7", "HOME": str(folder)}
        own["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.endpoint
        self.children = {
            name: Child(
                name,
                command_of(name, folder),
                COMMANDS | settings | given | own,
                folder / f"{name}.log",
                PROJECT,
            )
            for name in PROCESSES
        }

    def written(self, process: str) -> list[str]:
        return self.children[process].log.read_text().splitlines()

    def events(self, *processes: str) -> list[dict[str, Any]]:
        return [json.loads(line) for name in processes for line in self.written(name)]

    def is_ready(self) -> bool:
        events = {line["event"] for line in self.events("worker", "housekeeping", "beat")}
        with contextlib.suppress(requests.RequestException):
            return {"worker.ready", "beat.started"} <= events and requests.get(self.url, timeout=5).ok
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/system-features"

    def stop(self) -> None:
        for child in self.children.values():
            child.signal(SIGTERM)
        for child in self.children.values():
            child.stop(STOP_SECONDS)
        self.port.release()


@pytest.fixture(scope="module")
def stopped(
    bound_app: Any, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """An installation that has given one answer, and was stopped."""
    with bound_app.app_context():
        code = make_app().code
    with OtlpCollector() as collector:
        installation = Installation(tmp_path_factory.mktemp("logs"), settings, collector)
        try:
            wait_until(installation.is_ready, START_SECONDS, "the four processes")
            Visitor(f"http://127.0.0.1:{installation.port}", code).chat("my secret question").wait_for_end()
        finally:
            installation.stop()
        yield installation


@pytest.mark.parametrize("process", PROCESSES)
def test_each_line_is_a_json_object_with_an_event(stopped: Installation, process: str) -> None:
    lines = [json.loads(line) for line in stopped.written(process)]
    assert lines and all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_the_lines_of_an_answer_name_its_request_in_web_and_worker(stopped: Installation) -> None:
    (ended,) = [line for line in stopped.events("worker", "housekeeping") if line["event"] == "answer.ended"]
    (asked,) = [line for line in stopped.events("web") if line.get("route") == "/api/chat-messages"]
    assert (ended["outcome"], ended["request_id"]) == ("succeeded", asked["request_id"])
    assert ended["app"] == asked["app"] and asked["outcome"] == "whole"


def test_what_a_visitor_said_is_in_no_line(stopped: Installation) -> None:
    assert [name for name in PROCESSES if "secret" in "".join(stopped.written(name))] == []


def test_stopping_is_told_by_the_programs_too(stopped: Installation) -> None:
    assert any("Warm shutdown" in line["event"] for line in stopped.events("worker"))
    assert stopped.events("worker")[-1]["event"] == "worker.stopped"
    assert any("Shutting down" in line["event"] for line in stopped.events("web"))


def test_nothing_is_left_in_the_home_folder(stopped: Installation) -> None:
    kept = {path.name for path in stopped.folder.iterdir() if path.suffix != ".log"}
    assert {name for name in kept if not name.startswith("beat")} == set()


def test_a_trace_goes_from_the_web_process_through_the_queue_to_the_model(stopped: Installation) -> None:
    (asked,) = [line for line in stopped.events("web") if line.get("route") == "/api/chat-messages"]
    spans = stopped.collector.of_trace(asked["trace_id"])
    assert {span.name.partition(" ")[0] for span in spans} == {"POST", "answer", "chat"}
    call = stopped.collector.only("chat ")
    assert len(stopped.collector.path_to(call)) == 3 and call.resource["service.name"] == "frontdesk"
