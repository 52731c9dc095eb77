"""Check the code and the templates that app files hold, by what will run them."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.providers.sandbox.template_check import check_template
from app.services.definitions.app_file import AppDefinition

# Marks of prompts that are no Jinja2 and filled in before.
_MARKS = ("{{#context#}}", "{{#histories#}}")


def author_problems(definition: AppDefinition) -> list[str]:
    """Return a sentence for each template that cannot be rendered, with node and line."""
    return [
        f"node {node.data.stored.get('title') or node.stored.get('id')!r}: {problem}"
        for node in (definition.workflow.graph.nodes if definition.workflow is not None else ())
        for problem in _problems(node.data.stored)
    ]


def _problems(data: Mapping[str, Any]) -> Iterator[str]:
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
