"""An installation of production.txt alone: what it imports, and what it says of the parts it lacks."""

import importlib.metadata
import json
import re
import subprocess
import sys

import pytest

from app.providers.cancellation import Cancellation
from app.services.operator.datasets import DatasetRefused
from app.tools.mcp_tools import McpTools
from app.tools.registry import ToolRegistry
from app.tools.tool_file import McpEntry
from app.tools.tool_types import ToolFailed
from app.workflow.contracts.node_services import NodeServices
from app.workflow.values.files import File
from tests.support.agents import tool
from tests.support.datasets import make_dataset, put
from tests.support.documents import pdf
from tests.support.factories import chat_definition
from tests.support.parts import built_anew
from tests.support.paths import PROJECT
from tests.support.workflow.graphs import app_file, end, graph, node, start
from tests.support.workflow.graphs import run as run_graph
from tests.tools.builtin.calls import call

LISTS = PROJECT / "app" / "requirements"
NO_PARSER = "Reading documents is not installed on this server: install app/requirements/documents.txt."
NO_MCP = "The tools of 'house' need MCP, which is not installed on this server: install app/requirements/mcp.txt."
# Packages that these packages bring along and production.txt does not.
BROUGHT_ALONG = {"cryptography"}
EXTRACTOR = graph(
    start(file="file"),
    node("doc", "document-extractor", variable_selector=["start", "file"]),
    end(),
    "start > doc > end",
)

IMPORTS = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {absent!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import {entry}
import app.openapi
"""


def listed(name: str) -> set[str]:
    lines = (LISTS / f"{name}.txt").read_text().splitlines()
    return {re.split(r"[\[ ]", line)[0].lower().replace("_", "-") for line in lines if line and line[0] != "#"}


@pytest.fixture
def lean(monkeypatch):
    """Neither mcp.txt nor documents.txt nor exports.txt is installed."""
    for package in ("mcp", "kreuzberg", "docx"):
        monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize("entry", ["wsgi", "celery_worker"])
def test_the_entries_import_what_production_lists_alone(entry, tmp_path):
    others = set().union(*(listed(path.stem) for path in LISTS.glob("*.txt") if path.stem != "constraints"))
    unlisted = others - listed("production") | BROUGHT_ALONG
    names = importlib.metadata.packages_distributions()
    absent = {name for name, found in names.items() if {dist.lower().replace("_", "-") for dist in found} <= unlisted}
    assert {"mcp", "kreuzberg", "cryptography", "anyio", "httpx2", "pytest"} <= absent

    settings = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "REDIS_URL": "redis://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(absent=absent, entry=entry)],
        cwd=PROJECT,
        env=settings | {"SECRET_KEY": "k" * 32, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_document_extractor_says_what_is_missing(lean):
    class Files:
        def read(self, file, most_bytes, seconds, cancellation):
            return pdf("Hello")

    file = File("i", "document", "local_file", "a.pdf", ".pdf", "application/pdf", 1, "r")
    told = run_graph(EXTRACTOR, {"file": file}, services=NodeServices(files=Files()))
    assert (told.end.status, told.end.error) == ("failed", "This kind of document cannot be read on this server.")


def test_text_needs_no_parser(lean):
    class Files:
        def read(self, file, most_bytes, seconds, cancellation):
            return b"Hello"

    file = File("i", "document", "local_file", "a.txt", ".txt", "text/plain", 1, "r")
    told = run_graph(EXTRACTOR, {"file": file}, services=NodeServices(files=Files()))
    assert told.outputs("doc") == {"text": "Hello"}


def test_a_document_for_a_dataset_is_refused_and_text_is_taken(lean, app, model):
    dataset = make_dataset()
    with pytest.raises(DatasetRefused) as refused:
        put(dataset, "a.pdf", pdf("Hello"))
    assert str(refused.value) == NO_PARSER
    assert put(dataset, "a.txt", b"Hello").segments == 1


def test_an_mcp_server_s_tools_say_what_is_missing(lean):
    tools = McpTools("house", McpEntry(url="http://127.0.0.1:1/mcp"), {}, None)
    with pytest.raises(ToolFailed) as failed:
        tools.tools()
    with pytest.raises(ToolFailed) as failed_again:
        tools.call("say", {}, 5.0, Cancellation())
    assert {failed.value.cause, failed_again.value.cause} == {NO_MCP}
    assert {str(failed.value), str(failed_again.value)} == {"The tools of 'house' cannot be used at the moment."}


def test_an_export_says_what_is_missing(lean):
    with pytest.raises(ToolFailed, match=r"install app/requirements/exports\.txt"):
        call("md_exporter", "md_to_docx", md_text="# A")


class TestCommands:
    @pytest.fixture
    def tools_file(self, app, monkeypatch, tmp_path):
        path = tmp_path / "tools.yml"
        path.write_text("providers: {house: {mcp: {url: 'http://127.0.0.1:1/mcp'}}}")
        monkeypatch.setitem(app.config, "TOOLS_FILE", str(path))
        with built_anew(app, ToolRegistry):
            yield

    def import_warnings(self, app, path, text):
        path.write_text(text)
        result = app.test_cli_runner().invoke(args=["apps", "import", str(path)])
        assert result.exit_code == 0, result.output
        return [line.split(None, 1)[1] for line in result.stdout.splitlines() if line.startswith("  warning")]

    def test_a_check_of_tools_says_what_is_missing(self, lean, app, tools_file):
        result = app.test_cli_runner().invoke(args=["tools", "check"])
        assert result.exit_code == 1
        assert f"house: {NO_MCP}" in result.stdout

    def test_an_import_says_which_node_needs_the_parser(self, lean, app, tmp_path):
        text = app_file(EXTRACTOR, "workflow", "Reader")
        assert self.import_warnings(app, tmp_path / "a.yml", text) == [
            f"{NO_PARSER} The app needs it for the node 'doc'."
        ]

    def test_an_import_says_which_tools_need_what(self, lean, app, tools_file, tmp_path):
        agent = {"enabled": True, "strategy": "function_call", "tools": [tool("say", provider_id="house")]}
        agent["tools"].append(tool("webscraper", provider_id="webscraper"))
        definition = chat_definition(agent_mode=agent)
        definition["app"]["mode"] = "agent-chat"
        assert self.import_warnings(app, tmp_path / "a.yml", json.dumps(definition, ensure_ascii=False)) == [
            f"{NO_PARSER} The app needs it for the tool 'webscraper'.",
            NO_MCP,
        ]

    def test_a_whole_installation_warns_of_nothing(self, app, tmp_path):
        assert self.import_warnings(app, tmp_path / "a.yml", app_file(EXTRACTOR, "workflow", "Reader")) == []
