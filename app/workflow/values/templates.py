"""Templates: texts with references to variables, `{{#node_id.name#}}` (contract dsl.md §3.3)."""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.workflow.failures import NodeFailed
from app.workflow.values.values import text_of
from app.workflow.values.variables import MISSING, Selector, Variables

_REFERENCE = re.compile(r"\{\{#([a-zA-Z0-9_]{1,50}(?:\.[a-zA-Z_][a-zA-Z0-9_]{0,29}){1,10})#\}\}")
CACHED_TEMPLATES = 4_096


@dataclass(frozen=True)
class Template:
    """A parsed text. `parts`: literal texts and selectors, in order."""

    parts: tuple[str | Selector, ...]

    @property
    def selectors(self) -> tuple[Selector, ...]:
        """The selectors of the references, in order."""
        return tuple(part for part in self.parts if not isinstance(part, str))

    def render(
        self,
        variables: Variables,
        form: Callable[[Any], str] = text_of,
        missing: Callable[[Selector], str] | None = None,
    ) -> str:
        """Return the text with the variables' values in place of references.

        `form` makes a value's text. `missing` gives the text for a selector that has no value; without it such a
        selector raises NodeFailed.
        """
        return "".join(
            part if isinstance(part, str) else self._value(part, variables, form, missing) for part in self.parts
        )

    @staticmethod
    def _value(
        selector: Selector, variables: Variables, form: Callable[[Any], str], missing: Callable[[Selector], str] | None
    ) -> str:
        value = variables.get(selector)
        if value is not MISSING:
            return form(value)
        if missing is None:
            raise NodeFailed(f"Variable {'.'.join(selector)} not found.", "VariableNotFoundError")
        return missing(selector)


def empty(selector: Selector) -> str:
    """Return "": the `missing` of texts that leave such references out."""
    return ""


def bare(selector: Selector) -> str:
    """Return the selector as dotted text: the `missing` of texts that keep such references, without braces."""
    return ".".join(selector)


# Cached: nodes of a graph keep their texts, and loops render the same ones again and again.
@functools.lru_cache(maxsize=CACHED_TEMPLATES)
def parse(text: str) -> Template:
    """Parse a text into literal pieces and selectors. Malformed references stay literal text."""
    parts: list[str | Selector] = []
    position = 0
    for match in _REFERENCE.finditer(text):
        if match.start() > position:
            parts.append(text[position : match.start()])
        parts.append(tuple(match[1].split(".")))
        position = match.end()
    if position < len(text):
        parts.append(text[position:])
    return Template(tuple(parts))


def filled(value: Any, variables: Variables, missing: Callable[[Selector], str] | None = None) -> Any:
    """Return a configured value with the references in its texts, lists and mappings replaced by their values' text.

    Raises NodeFailed for a selector without a value, unless `missing` gives its text.
    """
    if isinstance(value, str):
        return parse(value).render(variables, missing=missing)
    if isinstance(value, list):
        return [filled(item, variables, missing) for item in value]
    if isinstance(value, Mapping):
        return {name: filled(item, variables, missing) for name, item in value.items()}
    return value
