"""Code and templates of app files, checked before anybody meets them."""

from typing import Any

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.operator.author_code import code_problems, template_problems
from tests.support.workflow.graphs import graph, node, start


def app_of(part: dict[str, Any]) -> AppDefinition:
    workflow = {"graph": graph(start(), part)}
    return AppDefinition.read({"app": {"name": "F", "mode": "workflow"}, "workflow": workflow})


def said(part: dict[str, Any]) -> list[str]:
    return template_problems(app_of(part))


def said_of_code(code: str, *packages: str, **data: Any) -> list[str]:
    return code_problems(app_of(node("Sum", "code", code=code, **data)), packages)


def jinja_prompt(text: str) -> dict[str, Any]:
    return node("Ask", "llm", prompt_template=[{"role": "user", "edition_type": "jinja2", "jinja2_text": text}])


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a\n{% for x in y %}", "in line 2: Unexpected end of template"),
        ("{{ a | uper }}", "in line 1: No filter named 'uper'"),
        ("{{ a b }}", "in line 1: expected token"),
        ("{{ a is evan }}", "in line 1: No test named 'evan'"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_told_with_node_and_line(template: str, problem: str) -> None:
    (sentence,) = said(node("Join", "template-transform", template=template))
    assert sentence.startswith("node 'Join': its template is wrong ") and problem in sentence
    assert problem in said(jinja_prompt(template))[0]


@pytest.mark.parametrize(
    "part",
    [
        node("Join", "template-transform", template="{% for x in y %}{{ loop.index }} {{ x | upper }}{% endfor %}"),
        node("Join", "template-transform", template="{{ 'a' * 10 ** 12 }} {{ 10 ** 10 ** 10 }}"),
        jinja_prompt("{{#context#}} {{ a }} {{#histories#}}"),
        node("Ask", "llm", prompt_template=[{"role": "user", "edition_type": "basic", "text": "{{ a b }}"}]),
    ],
)
def test_a_good_template_is_not_told(part: dict[str, Any]) -> None:
    assert said(part) == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def main():\n    return {", "its code in line 2: SyntaxError: "),
        (
            "import nowhere\n\ndef main():\n    return {}",
            "its code in line 1: It imports 'nowhere', which is not among",
        ),
        ("import ctypes\ndef main():\n    return {}", "its code in line 1: It imports 'ctypes', which the sandbox"),
        ("x = 1", "its code: It has no function `main`."),
    ],
)
def test_code_that_cannot_run_is_told_with_node_and_line(code: str, problem: str) -> None:
    (sentence,) = said_of_code(code)
    assert sentence.startswith("node 'Sum': ") and problem in sentence


def test_javascript_is_checked_too() -> None:
    (sentence,) = said_of_code("function main() {\n  return {\n", code_language="javascript")
    assert "node 'Sum': its code" in sentence


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("import json, uuid, requests\n\ndef main(a):\n    return {'x': json.dumps(a)}", {}),
        ("import yaml\n\ndef main():\n    return {}", {"packages": ("yaml",)}),
        ("function main({a}) { return {x: a} }", {"code_language": "javascript"}),
    ],
)
def test_code_that_runs_is_not_told(code: str, data: dict[str, Any]) -> None:
    assert said_of_code(code, *data.pop("packages", ()), **data) == []
