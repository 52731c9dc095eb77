"""Values of variables under names that a node gives them, and Jinja2 templates that are rendered with such values."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.sandbox import SandboxFailed
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.values.values import plain
from app.workflow.values.variables import MISSING, Variables

LONGEST_RUN = 15.0


class NamedSelector(ConfigPart):
    """A variable under a name of the node's own."""

    variable: str
    value_selector: tuple[str, ...] = ()


def named_values(entries: Sequence[NamedSelector], variables: Variables) -> dict[str, Any]:
    """Return the variables' JSON values by name; null where a selector finds none."""
    found = {entry.variable: variables.get(entry.value_selector) for entry in entries}
    return {name: None if value is MISSING else plain(value) for name, value in found.items()}


def render_template(context: NodeContext, template: str, values: Mapping[str, Any]) -> str:
    """Render a Jinja2 template in the sandbox. Raises NodeFailed, Cancelled, RunTimedOut."""
    if context.services.sandbox is None:
        raise NodeFailed("The sandbox for templates is not available in this run.", "SandboxNotAvailableError")
    try:
        return context.services.sandbox.render(
            template, values, context.seconds_left(LONGEST_RUN), context.cancellation, context.deadline
        )
    except SandboxFailed as failure:
        raise NodeFailed(str(failure), "TemplateError") from None
