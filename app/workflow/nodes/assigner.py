"""`assigner`: changes variables of conversations and loops (contract dsl.md §3.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import pydantic

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.assignments import FROM_VARIABLE, WITHOUT_OPERAND, Operation, Unassignable, assigned
from app.workflow.values.value_types import is_array
from app.workflow.values.variables import Selector, Variables


class Item(ConfigPart):
    """One change of a variable. `value`: the selector of the operand, or the operand itself (`input_type`)."""

    variable_selector: tuple[str, ...]
    input_type: Literal["variable", "constant"] = "variable"
    operation: Operation
    value: Any = None


class AssignerConfig(NodeConfig):
    """The configuration of an assigner node: version 2 has `items`, version 1 the other three fields."""

    version: str = "1"
    items: list[Item] | None = None
    assigned_variable_selector: tuple[str, ...] | None = None
    write_mode: Literal["over-write", "append", "clear"] | None = None
    input_variable_selector: tuple[str, ...] | None = None

    @property
    def is_version_1(self) -> bool:
        """Whether the node has no `items`, whatever its `version` says: old files name none."""
        return self.items is None

    @pydantic.model_validator(mode="after")
    def _check_required_fields(self) -> Self:
        if self.items is not None:
            return self
        if self.version == "2":
            raise ValueError("items: Field required")
        needed = ["assigned_variable_selector", "write_mode"]
        if self.write_mode != "clear":
            needed.append("input_variable_selector")
        for name in needed:
            if getattr(self, name) is None:
                raise ValueError(f"{name}: Field required")
        return self


class Assigner(Node):
    """Changes variables in order. It has no outputs: the changes are the result's `writes`."""

    kind = "assigner"
    Config = AssignerConfig

    @property
    def targets(self) -> Sequence[Selector]:
        return [item.variable_selector for item in self._items()]

    def run(self, context: NodeContext) -> Result:
        changes = _Changes(context.variables, checked=not self.config.is_version_1)
        try:
            for item in self._items():
                changes.add(item)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, process_data=changes.record()) from None
        return Result(writes=changes.writes(), process_data=changes.record())

    def _items(self) -> Sequence[Item]:
        config = self.config
        if not config.is_version_1:
            return config.items or ()
        return [
            Item(
                variable_selector=config.assigned_variable_selector,
                input_type="variable",
                operation=config.write_mode,
                value=list(config.input_variable_selector or ()),
            )
        ]


@dataclass
class _Changes:
    """The changes of one execution. Each sees those before it; other nodes see none until the node has ended.

    `checked`: `over-write` requires a value of the variable's type (version 2).
    """

    variables: Variables
    checked: bool

    def __post_init__(self) -> None:
        self._overlay = Variables(self.variables)
        self._targets: dict[Selector, str] = {}

    def add(self, item: Item) -> None:
        """Compute one change. Raises NodeFailed."""
        target = item.variable_selector
        declared = self.variables.writable_type(target)
        try:
            _check_input_type(item, declared)
            operand = self._operand(item)
            if operand is None and item.input_type == "variable" and item.operation not in WITHOUT_OPERAND:
                return
            unchecked = item.operation == "over-write" and not self.checked
            value = operand if unchecked else assigned(item.operation, declared, self._overlay.get(target), operand)
        except Unassignable as failure:
            raise NodeFailed(f"Variable {'.'.join(target)}, {item.operation}: {failure}.", "AssignmentError") from None
        self._overlay.set_node(target[0], {**self._overlay.node(target[0]), target[1]: value})
        self._targets[target] = declared

    def writes(self) -> tuple[tuple[Selector, Any], ...]:
        return tuple((target, self._overlay.get(target)) for target in self._targets)

    def record(self) -> dict[str, Any]:
        return {
            "updated_variables": [
                {
                    "selector": list(target),
                    "name": target[1],
                    "value_type": declared,
                    "new_value": self._overlay.get(target),
                }
                for target, declared in self._targets.items()
            ]
        }

    def _operand(self, item: Item) -> Any:
        if item.operation in WITHOUT_OPERAND:
            return None
        if item.input_type == "constant":
            return item.value
        if not isinstance(item.value, list | tuple):
            raise Unassignable("the value is not the selector of a variable")
        return self._overlay.require(tuple(map(str, item.value)))


def _check_input_type(item: Item, declared: str) -> None:
    """Check the item's type of input: each operation takes one type, only `over-write` of non-arrays takes both."""
    wanted = "variable" if item.operation in FROM_VARIABLE else "constant"
    if item.input_type != wanted and (item.operation != "over-write" or is_array(declared)):
        raise Unassignable(f"it takes a {wanted}, not a {item.input_type}")
