"""Render templates that only insert values into a text, in our own process.

Most templates are of this kind. Without loops and calls their time and their text are bounded by the values: they need
no child process with limits, which would cost more than the rendering.
"""

import functools
from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox
from jinja2 import nodes

from app.providers.sandbox.messages import SandboxFailed

LONGEST_TEXT = 400_000
# Filters whose result is about as large as their input.
FILTERS = frozenset(
    {
        "capitalize",
        "default",
        "d",
        "first",
        "int",
        "float",
        "last",
        "length",
        "count",
        "lower",
        "string",
        "trim",
        "upper",
    }
)
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
)


class PlainTemplate:
    """A compiled template that only inserts values."""

    def __init__(self, template: jinja2.Template) -> None:
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        """Return the text with these values. Raises SandboxFailed."""
        pieces, length = [], 0
        try:
            for piece in self._template.generate(values):
                length += len(piece)
                if length > LONGEST_TEXT:
                    raise SandboxFailed(f"The template's text is longer than {LONGEST_TEXT} characters.")
                pieces.append(piece)
        except (jinja2.TemplateError, TypeError, ValueError, RecursionError) as error:
            raise SandboxFailed(f"The template failed: {error}") from None
        return "".join(pieces)


def environment() -> jinja2.sandbox.SandboxedEnvironment:
    """Return the Jinja2 environment of plain templates, which hides private attributes of the values."""
    return jinja2.sandbox.ImmutableSandboxedEnvironment(autoescape=False)


@functools.lru_cache(maxsize=512)
def plain_template(source: str) -> PlainTemplate | None:
    """Compile a template; None if it does more than insert values. Raises SandboxFailed for one that is not valid."""
    jinja = environment()
    try:
        tree = jinja.parse(source)
        if not all(map(_is_plain, _all_nodes(tree))):
            return None
        return PlainTemplate(jinja.from_string(source))
    except jinja2.TemplateSyntaxError as error:
        raise SandboxFailed(f"The template is wrong in line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise SandboxFailed("The template is nested too deeply.") from None


def _all_nodes(tree: nodes.Node) -> list[nodes.Node]:
    # Without recursion, for the tree may be deeper than Python's stack.
    found, left = [], [tree]
    while left:
        node = left.pop()
        found.append(node)
        left += node.iter_child_nodes()
    return found


def _is_plain(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Filter) and (node.name not in FILTERS or node.dyn_args or node.dyn_kwargs):
        return False
    if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
        return False
    return isinstance(node, _ALLOWED)
