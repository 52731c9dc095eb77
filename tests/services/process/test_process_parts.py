"""The owner of a process's parts, and who closes them."""

import json
import subprocess
import sys
import threading
import types
from collections.abc import Callable

import pytest
from flask import Flask

from app.factory import create_app
from app.services.process import providers
from app.services.process.process_parts import ProcessParts, parts_of
from app.services.process.tool_registry import tool_registry
from config import Config
from tests.support.paths import PROJECT

WORKERS_ONLY = ("app.workflow.engine", "app.agents.agent", "app.providers.sandbox", "pydantic_monty", "quickjs", "mcp")


class Lamp:
    def __init__(self, name: str = "", closed: list[str] | None = None) -> None:
        self.name, self.closed = name, [] if closed is None else closed

    def close(self) -> None:
        self.closed.append(self.name)


class Engine(Lamp):
    pass


class BrokenEngine(Lamp):
    def close(self) -> None:
        raise OSError("stuck")


@pytest.fixture
def own_app(settings: dict[str, str]) -> Flask:
    return create_app(Config(settings))


@pytest.fixture
def worker_exit(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """gunicorn's hook; its module reads the settings when it is imported."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    from app import web_server

    return web_server.worker_exit


def test_a_part_is_built_once_for_all_threads() -> None:
    parts, asked, made = ProcessParts(), threading.Barrier(8), []

    def build() -> Lamp:
        made.append(Lamp())
        return made[-1]

    def ask() -> None:
        asked.wait()
        assert parts.get(Lamp, build) is made[0]

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def test_one_part_may_need_another() -> None:
    parts = ProcessParts()
    engine = parts.get(Engine, lambda: Engine(parts.get(Lamp, lambda: Lamp("lamp")).name))
    assert engine.name == "lamp"


def test_a_part_that_cannot_be_built_is_tried_again() -> None:
    def fail() -> Lamp:
        raise OSError("dark")

    parts = ProcessParts()
    with pytest.raises(OSError, match="dark"):
        parts.get(Lamp, fail)
    assert parts.get(Lamp, lambda: Lamp("late")).name == "late"


def test_parts_are_closed_in_the_reverse_order_and_once() -> None:
    parts, closed = ProcessParts(), []
    parts.on_close(lambda: closed.append("connections"))
    parts.get(Lamp, lambda: Lamp("first", closed), Lamp.close)
    parts.get(Engine, lambda: Engine("second", closed), Engine.close)
    parts.get(int, lambda: 5)
    parts.close()
    parts.close()
    assert closed == ["second", "first", "connections"]


def test_one_part_that_fails_does_not_keep_the_others_open() -> None:
    parts, closed = ProcessParts(), []
    parts.get(Lamp, lambda: Lamp("lamp", closed), Lamp.close)
    parts.get(BrokenEngine, BrokenEngine, BrokenEngine.close)
    with pytest.raises(OSError, match="stuck"):
        parts.close()
    assert closed == ["lamp"]


def test_each_app_has_parts_of_its_own_and_opens_none_by_itself(own_app: Flask, settings: dict[str, str]) -> None:
    other = create_app(Config(settings))
    assert parts_of(own_app).built == {}
    with own_app.app_context():
        storage = providers.storage()
        assert providers.storage() is storage and providers.guarded_http() is providers.guarded_http()
    with other.app_context():
        assert providers.storage() is not storage


def test_a_web_worker_closes_what_its_app_has_built(own_app: Flask, worker_exit: Callable[..., None]) -> None:
    with own_app.app_context():
        tool_registry()
        sandbox = providers.sandbox()
    worker_exit(None, types.SimpleNamespace(wsgi=own_app))
    assert parts_of(own_app).built == {}
    with own_app.app_context():
        assert providers.sandbox() is not sandbox


def test_a_worker_that_never_loaded_the_app_ends_all_the_same(worker_exit: Callable[..., None]) -> None:
    worker_exit(None, types.SimpleNamespace())


def test_a_web_process_loads_nothing_that_workers_alone_need(settings: dict[str, str]) -> None:
    code = (
        "import json, sys, wsgi; client = wsgi.app.test_client(); client.get('/api/site');"
        f" print(json.dumps([name for name in {WORKERS_ONLY} if name in sys.modules]))"
    )
    # The operators' pages check apps, which takes the engine.
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=settings | {"OPERATOR_TOKEN": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == []
