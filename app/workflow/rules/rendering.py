"""Jinja2 templates of nodes, by the sandbox."""

from collections.abc import Mapping
from typing import Any

from app.providers.sandbox import SandboxFailed
from app.workflow.contracts.node import NodeContext
from app.workflow.failures import NodeFailed

LONGEST_RUN = 15.0


def render(context: NodeContext, template: str, values: Mapping[str, Any]) -> str:
    """The text. Raises NodeFailed, Cancelled, TimeIsUp."""
    if context.services.sandbox is None:
        raise NodeFailed("There is no sandbox to render templates in.", "SandboxNotAvailableError")
    try:
        return context.services.sandbox.render(
            template, values, context.seconds_left(LONGEST_RUN), context.cancellation
        )
    except SandboxFailed as failure:
        raise NodeFailed(str(failure), "TemplateError") from None
