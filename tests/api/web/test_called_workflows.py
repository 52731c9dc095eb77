"""Workflow apps that other apps call as tools (contract dsl.md §3.7, tool node)."""

import secrets
import uuid
from typing import Any

import pytest

from app.models.owners import Owner
from app.providers.cancellation import Cancellation, Cancelled
from app.services.generation.run_tools import DEEPEST_CALL, RunTools
from app.services.operator import app_files, apps
from app.services.process.called_apps import find_called_app
from app.services.process.process_parts import process_parts
from app.services.process.tool_registry import tool_registry
from app.services.reports.report_filters import ReportFilter
from app.services.reports.usage_reports import usage
from app.tools.registry import ToolRegistry
from app.tools.tool_types import ToolChoice, ToolFailed
from app.workflow.values.files import File
from tests.support.factories import make_graph_app, publish
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, node, start
from tests.support.workflow.llm_graphs import llm

SOMEBODY = Owner(uuid.uuid4(), uuid.uuid4())
TEMPLATE = node(
    "t", "template-transform", template="{{ a }}!", variables=[{"variable": "a", "value_selector": ["start", "word"]}]
)


def make_called(code: str, *nodes: Any, name: str = "Shout", **workflow: Any) -> None:
    definition = {
        "version": "0.6.0",
        "kind": "app",
        "app": {"name": name, "mode": "workflow", "description": "Says it louder"},
        "workflow": {
            "graph": graph(
                *(nodes or (start(word="text-input"), TEMPLATE, end(loud=["t", "output"]), "start > t > end"))
            ),
            "features": {},
        }
        | workflow,
    }
    publish(definition, code)


def tool_node(name: str, provider: str = "0198f0a0-0000-7000-8000-0000000000aa", **parameters: Any) -> dict[str, Any]:
    return node(
        "call",
        "tool",
        provider_id=provider,
        provider_name="Anything",
        provider_type="workflow",
        tool_name=name,
        tool_configurations={},
        tool_parameters={key: {"type": "mixed", "value": value} for key, value in parameters.items()},
    )


def run(client: Any, called: str, **parameters: Any) -> dict[str, Any]:
    """Run an app that calls another one with its input; how the run ended."""
    outputs = {name: ["call", name] for name in ("loud", "text", "json", "files")}
    drawn = graph(
        start(q="text-input"),
        tool_node(called, word="{{#start.q#}}", **parameters),
        end(**outputs),
        "start > call > end",
    )
    return WebVisitor(client, make_graph_app(drawn)).run(q="hello")[-1].data["data"]


@pytest.fixture
def code() -> str:
    return f"test_{secrets.token_hex(6)}"


def test_an_app_is_called_by_its_code(client: Any, code: str) -> None:
    make_called(code)
    ended = run(client, code)
    assert ended["outputs"] == {
        "loud": "hello!",
        "text": '{"loud": "hello!"}',
        "json": [{"loud": "hello!"}],
        "files": [],
    }


def test_an_app_is_found_by_its_id_its_name_and_the_operator_s_word(app: Any, code: str) -> None:
    make_called(code, name=f"My tool {code}")
    known = find_called_app(ToolChoice("workflow", "p", code), None)
    assert known is not None
    for choice in (
        ToolChoice("workflow", str(known.id), "any_tool"),
        ToolChoice("workflow", "p", f"my_tool_{code}"),
        ToolChoice("workflow", "p", "any_tool", f"My Tool {code}"),
    ):
        assert find_called_app(choice, None) == known
    assert find_called_app(ToolChoice("workflow", "p", "any_tool"), code) == known
    assert find_called_app(ToolChoice("workflow", "p", "any_tool"), None) is None


def test_two_apps_of_the_name_are_none(app: Any, code: str) -> None:
    make_called(f"{code}a", name=f"Twice {code}")
    make_called(f"{code}b", name=f"Twice {code}")
    assert find_called_app(ToolChoice("workflow", "p", f"twice_{code}"), None) is None


def test_a_chat_app_is_not_called(app: Any, code: str) -> None:
    publish({"app": {"name": code, "mode": "chat"}, "model_config": {}}, code)
    assert find_called_app(ToolChoice("workflow", "p", code), None) is None


def test_a_failure_of_the_called_app_fails_the_node(client: Any, code: str) -> None:
    make_called(
        code,
        start(word="text-input"),
        node("c", "code", code="def main():\n    return {}", outputs={"x": {"type": "string"}}),
        end(loud=["c", "x"]),
        "start > c > end",
    )
    ended = run(client, code)
    assert ended["status"] == "failed" and "The app 'Shout' failed" in ended["error"]


def test_an_input_that_the_called_app_refuses_fails_the_node(client: Any, code: str) -> None:
    begin = start(word="text-input")
    begin["data"]["variables"][0]["max_length"] = 2
    make_called(code, begin, TEMPLATE, end(loud=["t", "output"]), "start > t > end")
    assert "word in input form must be less than 2 characters" in run(client, code)["error"]


def test_human_input_is_not_available_in_a_called_app(client: Any, code: str) -> None:
    ask = node("ask", "human-input", form_content="Ok?", user_actions=[{"id": "ok", "title": "Ok"}])
    make_called(code, start(word="text-input"), ask, end(loud=["start", "word"]), "start > ask", "ask:ok > end")
    assert "Human input is not available" in run(client, code)["error"]


def test_apps_that_call_themselves_come_to_an_end(client: Any, code: str) -> None:
    make_called(
        code,
        start(word="text-input"),
        tool_node(code, word="{{#start.word#}}"),
        end(loud=["call", "loud"]),
        "start > call > end",
    )
    ended = run(client, code)
    assert ended["status"] == "failed" and f"more than {DEEPEST_CALL} times deep" in ended["error"]


def test_a_model_sees_the_form_of_the_called_app(app: Any, code: str) -> None:
    make_called(code)
    description = RunTools(SOMEBODY).find(ToolChoice("workflow", "p", code)).description
    assert (description.name, description.description) == (code, "Says it louder")
    assert list(description.parameters["properties"]) == ["word"]


def test_the_import_tells_a_called_app_that_is_missing(app: Any, code: str) -> None:
    definition = {
        "app": {"name": "Caller", "mode": "workflow"},
        "workflow": {"graph": graph(start(), tool_node(code, provider="aa"), end(), "start > call > end")},
    }
    (warning,) = apps.publish(app_files.check(definition)).warnings
    assert f"The tool {code!r} of 'Anything' is not set up here. It calls another app" in warning
    assert f"{{provider: aa, tool: {code}, use: {{app: ITS_CODE}}}}" in warning
    make_called(code)
    assert apps.publish(app_files.check(definition)).warnings == ()


def test_the_operator_names_the_app_that_a_tool_calls(client: Any, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_called(code)
    registry = tool_registry()
    named = ToolRegistry(registry._providers, {}, apps={("Anything", "old_name"): code})
    monkeypatch.setitem(process_parts().built, ToolRegistry, named)
    assert run(client, "old_name")["outputs"]["loud"] == "hello!"


def test_a_stop_of_the_caller_stops_the_called_app(app: Any, code: str) -> None:
    make_called(code)
    tool, stopped = RunTools(SOMEBODY).find(ToolChoice("workflow", "p", code)), Cancellation()
    stopped.cancel()
    with pytest.raises(Cancelled):
        tool.call({"word": "hello"}, 5, stopped)


def test_a_file_of_somebody_else_is_not_read(app: Any, model: Any) -> None:
    stolen = File("i", "audio", "local_file", "a.mp3", ".mp3", "audio/mpeg", 3, str(uuid.uuid4())).as_object()
    asr = RunTools(SOMEBODY).find(ToolChoice("builtin", "audio", "asr"))
    for named in (stolen, {"related_id": stolen["related_id"]}, {"url": "file:///etc/passwd"}):
        with pytest.raises(ToolFailed, match="names no file"):
            asr.call({"audio_file": named}, 5, Cancellation())


def test_what_a_called_workflow_asks_of_models_counts_for_its_caller(client, model):
    code = f"called-{secrets.token_hex(6)}"
    make_called(code, start(word="text-input"), llm("{{#start.word#}}"), end(loud=["llm", "text"]), "start > llm > end")
    visitor = WebVisitor(
        client, make_graph_app(graph(start(), tool_node(code, word="tea"), end(), "start > call > end"))
    )
    assert visitor.run()[-1].data["data"]["status"] == "succeeded"
    (report,) = usage(ReportFilter(app=visitor.app.code))
    assert report.calls == 1 and report.total_tokens > 0
