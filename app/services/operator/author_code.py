"""Check the code and the templates that app files hold, by what will run them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from app.providers.sandbox.code_check import check_code
from app.providers.sandbox.template_check import check_template
from app.services.definitions.app_file import AppDefinition

# Marks of prompts that are no Jinja2 and filled in before.
_MARKS = ("{{#context#}}", "{{#histories#}}")


def template_problems(definition: AppDefinition) -> list[str]:
    """Return a sentence for each template that cannot be rendered, with node and line."""
    return [f"{place}: {problem}" for place, data in _nodes(definition) for problem in _in_templates(data)]


def code_problems(definition: AppDefinition, packages: Collection[str]) -> list[str]:
    """Return a sentence for all of the code that cannot run, with node and line; `packages`: what code may import."""
    return [f"{place}: {problem}" for place, data in _nodes(definition) for problem in _in_code(data, packages)]


def _nodes(definition: AppDefinition) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for node in definition.workflow.graph.nodes if definition.workflow is not None else ():
        yield f"node {node.data.stored.get('title') or node.stored.get('id')!r}", node.data.stored


def _in_code(data: Mapping[str, Any], packages: Collection[str]) -> Iterator[str]:
    if data.get("type") != "code" or not isinstance(data.get("code"), str):
        return
    for problem in check_code(str(data.get("code_language") or "python3"), data["code"], packages).problems:
        yield f"its code{'' if problem.line is None else f' in line {problem.line}'}: {problem.text}"


def _in_templates(data: Mapping[str, Any]) -> Iterator[str]:
    for name, template in _templates(data):
        problem = check_template(template)
        if problem is not None:
            line = "" if problem.line is None else f" in line {problem.line}"
            yield f"its {name} is wrong{line}: {problem.text}"


def _templates(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if data.get("type") == "template-transform" and isinstance(data.get("template"), str):
        yield "template", data["template"]
    prompts = data.get("prompt_template")
    for number, part in enumerate(prompts if isinstance(prompts, list) else [prompts], 1):
        if isinstance(part, dict) and part.get("edition_type") == "jinja2" and isinstance(part.get("jinja2_text"), str):
            text = part["jinja2_text"]
            for mark in _MARKS:
                text = text.replace(mark, "{{ mark }}")
            yield f"prompt {number}", text
