"""Portable agents of app files 0.7.0."""

import copy
from typing import Any

import pytest

from app.services.operator import app_files
from app.services.operator.app_files import InvalidAppFile
from tests.support.workflow.graphs import end, graph, node, start

SOUL = {
    "schema_version": 1,
    "prompt": {"system_prompt": "You are exact."},
    "model": {
        "plugin_id": "langgenius/openai",
        "model_provider": "langgenius/openai/openai",
        "model": "gpt-4.1-mini",
        "credential_ref": None,
        "model_settings": {"temperature": 0.2},
    },
    "app_features": {"opening_statement": "Ask me.", "suggested_questions": ["What?"]},
}
PACKAGE = {"schema_version": 1, "metadata": {"name": "Agent", "role": "worker"}, "soul": SOUL, "omitted_assets": []}
AGENT_APP = {
    "version": "0.7.0",
    "kind": "app",
    "app": {"name": "Agent", "mode": "agent"},
    "agent": {"package_ref": "one"},
    "agent_packages": {"one": PACKAGE},
    "dependencies": [],
}


def flow(**binding: Any) -> dict[str, Any]:
    job = {
        "schema_version": 1,
        "workflow_prompt": "Do it.",
        "previous_node_output_refs": [{"selector": ["start", "task"]}],
        "declared_outputs": [{"name": "report", "type": "string"}],
    }
    agent = node(
        "worker",
        "agent",
        version="2",
        agent_node_kind="dify_agent",
        agent_binding={"binding_type": "inline_agent", "package_ref": "one"} | binding,
        agent_job=job,
    )
    drawn = graph(start(task="paragraph"), agent, end(report=["worker", "report"]), "start > worker > end")
    return {"version": "0.7.0", "kind": "app", "app": {"name": "F", "mode": "workflow"}} | {
        "agent_packages": {"one": PACKAGE},
        "workflow": {"graph": drawn, "features": {}},
    }


def test_an_agent_app_is_read_as_one_of_agent_chat() -> None:
    given = copy.deepcopy(AGENT_APP)
    file = app_files.check(given)
    config = file.definition["model_config"]
    assert (file.mode, file.definition["app"]["mode"]) == ("agent-chat", "agent-chat")
    assert config["model"] == {
        "provider": "langgenius/openai/openai",
        "name": "gpt-4.1-mini",
        "mode": "chat",
        "completion_params": {"temperature": 0.2},
    }
    assert (config["pre_prompt"], config["opening_statement"]) == ("You are exact.", "Ask me.")
    assert file.warnings == ["The app is of the mode 'agent': it is served as one of the mode 'agent-chat'."]
    assert given == AGENT_APP


def test_an_agent_node_gets_the_model_and_the_words_of_its_agent() -> None:
    file = app_files.check(flow())
    data = file.definition["workflow"]["graph"]["nodes"][1]["data"]
    assert file.warnings == []
    assert {name: part["value"] for name, part in data["agent_parameters"].items()} == {
        "model": {
            "provider": "langgenius/openai/openai",
            "name": "gpt-4.1-mini",
            "mode": "chat",
            "completion_params": {"temperature": 0.2},
        },
        "instruction": "You are exact.",
        "query": "Do it.\n\n{{#start.task#}}",
        "tools": [],
    }


def test_an_agent_that_the_file_does_not_carry_is_refused_by_its_place() -> None:
    with pytest.raises(InvalidAppFile, match="node 'worker': agent_binding.package_ref: there is no agent 'two'"):
        app_files.check(flow(package_ref="two"))
    with pytest.raises(InvalidAppFile, match="agent.package_ref: there is no agent None"):
        app_files.check({**AGENT_APP, "agent": {}})


def test_what_an_agent_has_lost_or_is_not_served_is_told() -> None:
    changed = copy.deepcopy(AGENT_APP)
    changed["agent_packages"]["one"]["omitted_assets"] = [{"kind": "skill", "name": "guide.md", "size": 1}]
    changed["agent_packages"]["one"]["soul"]["skills"] = [{"name": "guide.md"}]
    said = app_files.check(changed).warnings
    assert said[1:] == [
        "agent_packages.one: what its agent has of these is not served: skills.",
        "agent_packages.one: the file does not carry these files and skills of its agent: guide.md.",
    ]


@pytest.mark.parametrize("version", ["0.6.0", "0.7.0"])
def test_a_file_without_agents_is_left_as_it_is(version: str) -> None:
    plain = flow()
    plain["version"] = version
    plain["workflow"]["graph"] = graph(start(), end(), "start > end")
    file = app_files.check(plain)
    assert file.definition == plain and file.warnings == []


def test_a_newer_file_imports_with_a_warning() -> None:
    (warning,) = app_files.check(flow() | {"version": "0.8.0"}).warnings
    assert warning.startswith("version: the file is of version 0.8.0, newer than 0.7.0")
