"""References of a graph that lead nowhere."""

from typing import Any

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.operator.unknown_references import unknown_references
from tests.support.workflow.graphs import answer, end, graph, node, start

ENV = [{"name": "key", "value_type": "secret", "value": "x"}]
TALK = [{"name": "mood", "value_type": "string", "value": ""}]


def said(*nodes: dict[str, Any]) -> list[str]:
    drawn = graph(start(q="text-input"), *nodes)
    workflow = {"graph": drawn, "environment_variables": ENV, "conversation_variables": TALK}
    return unknown_references(AppDefinition.read({"app": {"name": "F", "mode": "workflow"}, "workflow": workflow}))


@pytest.mark.parametrize(
    "part",
    [
        answer("{{#gone.text#}}"),
        end(x=["gone", "text"]),
        node("n", "llm", prompt_template=[{"role": "user", "text": "Say {{#gone.text#}}"}]),
        node("n", "llm", context={"enabled": True, "variable_selector": ["gone", "text"]}),
        node("n", "code", code="", variables=[{"variable": "a", "value_selector": ["gone", "text"]}]),
        node("n", "variable-aggregator", variables=[["start", "q"], ["gone", "text"]]),
        node("n", "list-operator", variable=["gone", "text"]),
        node("n", "parameter-extractor", query=["gone", "text"]),
        node("n", "tool", tool_parameters={"a": {"type": "variable", "value": ["gone", "text"]}}),
        node("n", "iteration", iterator_selector=["gone", "text"], output_selector=["start", "q"]),
        node("n", "if-else", cases=[{"case_id": "1", "conditions": [{"variable_selector": ["gone", "text"]}]}]),
    ],
)
def test_a_node_that_does_not_exist_is_told(part: dict[str, Any]) -> None:
    assert said(part) == [f"node {part['id']!r}: 'gone.text' refers to the node 'gone', which does not exist."]


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("start.p", "the start node has no variable 'p'."),
        ("env.kye", "there is no variable 'kye' in 'env'."),
        ("conversation.mod", "there is no variable 'mod' in 'conversation'; did you mean 'mood'?"),
        ("sys.qurey", "there is no variable 'qurey' in 'sys'; did you mean 'query'?"),
    ],
)
def test_a_variable_that_does_not_exist_is_told(reference: str, problem: str) -> None:
    assert said(answer(f"{{{{#{reference}#}}}}")) == [f"node 'answer': {reference!r}: {problem}"]


@pytest.mark.parametrize(
    "part",
    [
        answer(
            "{{#start.q#}} {{#env.key#}} {{#conversation.mood#}} {{#sys.query#}} {{#userinput.files#}} {{#context#}}"
        ),
        answer("{{#start.sys.query#}}"),
        end(x=["start", "sys.query"]),
        end(x=[]),
        node("n", "code", code="# {{#gone.text#}}", title="{{#gone.text#}}", desc="{{#gone.text#}}"),
        node("n", "template-transform", template="{{#gone.text#}}"),
        node("n", "llm", context={"enabled": False, "variable_selector": ["gone", "text"]}),
        node("n", "llm", vision={"enabled": False, "configs": {"variable_selector": ["gone", "files"]}}),
    ],
)
def test_what_can_be_found_or_is_not_used_is_not_told(part: dict[str, Any]) -> None:
    assert said(part) == []


def test_a_reference_is_told_once_for_each_node() -> None:
    assert len(said(answer("{{#gone.a#}} {{#gone.a#}}"), answer("{{#gone.a#}}", "again"))) == 2
