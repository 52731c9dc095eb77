"""The house rules that a machine can hold."""

import pathlib
import re
import subprocess
import sys

import pytest

from tests.support.paths import PROJECT

FAMILIES = {
    "site": "app_info",
    "parameters": "app_info",
    "meta": "app_info",
    "webapp": "app_info",
    "system-features": "app_info",
    "audio-to-text": "audio",
    "text-to-audio": "audio",
    "form": "human_input",
    "human-input-forms": "human_input",
    "logout": "login",
    "email-code-login": "login",
    "forgot-password": "login",
}
TOP_LEVEL = {
    "setup.cfg",
    "wsgi.py",
    "app",
    "migrations",
    "tests",
    "celery_worker.py",
    "config.py",
    "Makefile",
    "README.md",
}
AWAY = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9", "SECRET_KEY": "k" * 32}


def sources(folder: str) -> list[pathlib.Path]:
    return sorted((PROJECT / folder).rglob("*.py"))


def test_the_url_names_the_file(bound_app):
    for rule in bound_app.url_map.iter_rules():
        view = bound_app.view_functions[rule.endpoint]
        module = getattr(getattr(view, "view_class", None), "__module__", "")
        if module.startswith("app.api.web."):
            segment = rule.rule.removeprefix("/api/").split("/")[0]
            assert module == f"app.api.web.{FAMILIES.get(segment, segment).replace('-', '_')}", rule.rule


@pytest.mark.parametrize("path", sources("app/api/web"), ids=str)
def test_a_route_decides_nothing(path):
    assert not re.search(r"(\bsession\b|\btry:|\bcommit\b|\bexecute\()", path.read_text())


def test_only_services_commit():
    services = PROJECT / "app" / "services"
    assert [
        str(path) for path in sources("app") if "commit(" in path.read_text() and services not in path.parents
    ] == []


def test_the_environment_is_read_in_one_file():
    assert [str(path) for path in sources("app") if re.search(r"os\.environ|getenv", path.read_text())] == []


def test_tasks_are_doorways():
    assert len((PROJECT / "app" / "tasks.py").read_text().splitlines()) < 150


@pytest.mark.parametrize("path", [*sources("app"), *sources("tests")], ids=str)
def test_no_file_grows_past_a_screenful_of_screens(path):
    assert len(path.read_text().splitlines()) <= 350


@pytest.mark.parametrize("entry", ["wsgi", "celery_worker"])
def test_importing_works_while_every_server_is_away(entry, tmp_path):
    settings = AWAY | {"DATA_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", f"import {entry}"], cwd=PROJECT, env=settings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_nothing_else_lies_at_the_top():
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split()
    assert {path.split("/")[0] for path in listed if not path.startswith(".")} == TOP_LEVEL
