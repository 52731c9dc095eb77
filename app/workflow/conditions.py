"""Conditions of if-else nodes and loops (contract dsl.md §3.7, if-else)."""

from collections.abc import Sequence
from typing import Any

from app.workflow.node import Shape
from app.workflow.variables import Variables


class Condition(Shape):
    """One comparison. `value` may hold templates."""

    variable_selector: tuple[str, ...] = ()
    comparison_operator: str
    value: Any = None
    sub_variable_condition: dict[str, Any] | None = None


def hold(conditions: Sequence[Condition], logical_operator: str, variables: Variables) -> bool:
    """Whether the group holds; evaluation stops as soon as that is known. Raises NodeFailed."""
    raise NotImplementedError
