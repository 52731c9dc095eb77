"""Variables that a node's configuration gives names of its own."""

from collections.abc import Sequence
from typing import Any

from app.workflow.contracts.node import ConfigPart
from app.workflow.values.values import plain
from app.workflow.values.variables import MISSING, Variables


class NamedSelector(ConfigPart):
    variable: str
    value_selector: tuple[str, ...] = ()


def named_values(entries: Sequence[NamedSelector], variables: Variables) -> dict[str, Any]:
    """Plain values by name; null where a selector finds nothing."""
    found = {entry.variable: variables.get(entry.value_selector) for entry in entries}
    return {name: None if value is MISSING else plain(value) for name, value in found.items()}
