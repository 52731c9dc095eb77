"""Code and templates of app files, checked before anybody meets them."""

from typing import Any

import pytest

from app.services.definitions.app_file import AppDefinition
from app.services.operator.author_code import author_problems
from tests.support.workflow.graphs import graph, node, start


def said(part: dict[str, Any]) -> list[str]:
    workflow = {"graph": graph(start(), part)}
    return author_problems(AppDefinition.read({"app": {"name": "F", "mode": "workflow"}, "workflow": workflow}))


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
