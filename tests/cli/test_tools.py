"""`flask tools …`: tools are listed and tested."""

import json

import pytest

from app.tools.registry import ToolRegistry
from tests.support.parts import built_anew
from tests.support.web_service import DESCRIPTION, WebService


@pytest.fixture
def run(run):
    return lambda *line: run("tools", *line)


@pytest.fixture
def tools_file(app, monkeypatch, tmp_path):
    """Puts a tools file in place."""

    def install(text):
        (tmp_path / "pets.json").write_text(json.dumps(DESCRIPTION))
        path = tmp_path / "tools.yml"
        path.write_text(text)
        monkeypatch.setitem(app.config, "TOOLS_FILE", str(path))

    with built_anew(app, ToolRegistry):
        yield install


def test_built_in_tools_are_listed_without_a_file(run, tools_file):
    code, out, _ = run("list")
    assert code == 0
    assert "current_time" in out and "webscraper" in out


def test_tools_of_a_service_are_listed(run, tools_file):
    with WebService() as service:
        tools_file(f"providers: {{pets: {{openapi: {{description: pets.json, base_url: '{service.url}'}}}}}}")
        listed = json.loads(run("list", "--json")[1])
    assert {"provider": "pets", "name": "getPet", "text": "Get a pet\nBy its id.", "problem": None} in listed


def test_a_check_says_who_does_not_answer(run, tools_file):
    tools_file(
        "providers:\n  gone: {mcp: {url: 'http://127.0.0.1:1/mcp'}}\n  pets: {openapi: {description: pets.json}}"
    )
    code, out, _ = run("check")
    assert code == 1
    assert "gone: The tool server cannot be reached." in out and "pets: 8 tools" in out


def test_a_check_without_problems_is_well(run, tools_file):
    tools_file("providers: {pets: {openapi: {description: pets.json}}}")
    assert run("check")[0] == 0


def test_a_broken_file_is_one_line(run, tools_file):
    tools_file("providers: [")
    code, _, err = run("list")
    assert code == 1 and err.startswith("Error: ") and err.count("\n") == 1
