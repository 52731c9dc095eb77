"""Templates that only put values into a text: quick, bounded, and so rendered in our own process."""

import functools
from collections.abc import Mapping
from typing import Any

import jinja2
import jinja2.sandbox
from jinja2 import nodes

from app.providers.sandbox.failures import SandboxFailed

LONGEST = 400_000
# None of them gives much more than it is given.
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
    """A compiled template."""

    def __init__(self, template: jinja2.Template) -> None:
        self._template = template

    def render(self, values: Mapping[str, Any]) -> str:
        """Raises SandboxFailed."""
        pieces, length = [], 0
        try:
            for piece in self._template.generate(values):
                length += len(piece)
                if length > LONGEST:
                    raise SandboxFailed(f"The template's text is longer than {LONGEST} characters.")
                pieces.append(piece)
        except (jinja2.TemplateError, TypeError, ValueError, RecursionError) as error:
            raise SandboxFailed(f"The template failed: {error}") from None
        return "".join(pieces)


def environment() -> jinja2.sandbox.SandboxedEnvironment:
    return jinja2.sandbox.ImmutableSandboxedEnvironment(autoescape=False)


@functools.lru_cache(maxsize=512)
def plain_template(source: str) -> PlainTemplate | None:
    """The template if it is a plain one. Raises SandboxFailed where it is no template at all."""
    own = environment()
    try:
        tree = own.parse(source)
        # A plain tree is no deeper than a person writes.
        if not all(map(_is_plain, _all_nodes(tree))):
            return None
        return PlainTemplate(own.from_string(source))
    except jinja2.TemplateSyntaxError as error:
        raise SandboxFailed(f"The template is wrong in line {error.lineno}: {error.message}") from None
    except RecursionError:
        raise SandboxFailed("The template is nested too deeply.") from None


def _all_nodes(tree: nodes.Node) -> list[nodes.Node]:
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
