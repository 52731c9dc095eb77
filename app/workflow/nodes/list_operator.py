"""`list-operator`: filters, picks, sorts and limits a list (contract dsl.md §3.7)."""

from typing import Any, Literal

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.comparisons import Incomparable, Operator, compare, kind_of
from app.workflow.rules.conditions import file_value, wanted_value
from app.workflow.values.files import File
from app.workflow.values.templates import filled
from app.workflow.values.variables import Variables

_TEXT_OPERATORS = (
    "contains",
    "not contains",
    "start with",
    "end with",
    "is",
    "is not",
    "in",
    "not in",
    "empty",
    "not empty",
)
_OPERATORS: dict[str, tuple[str, ...]] = {
    "string": _TEXT_OPERATORS,
    "number": ("=", "≠", "<", ">", "≥", "≤"),
    "boolean": ("is", "is not"),
}


class FilterCondition(ConfigPart):
    """One condition on members. `key`: the attribute to compare, for files only. `value` may hold references."""

    key: str = ""
    comparison_operator: Operator = "contains"
    value: Any = None


class Filter(ConfigPart):
    """The first step: keep the members that meet every condition."""

    enabled: bool = False
    conditions: list[FilterCondition] = []


class Extract(ConfigPart):
    """The second step: pick one member. `serial` counts from 1 and may hold references."""

    enabled: bool = False
    serial: str = "1"


class Order(ConfigPart):
    """The third step: sort the members, files by the attribute `key`."""

    enabled: bool = False
    key: str = ""
    value: Literal["asc", "desc"] = "asc"


class Limit(ConfigPart):
    """The last step: keep the first `size` members. Editors write a negative size for no limit."""

    enabled: bool = False
    size: int = -1


class ListOperatorConfig(NodeConfig):
    """The configuration of a list operator. `variable`: the list's selector."""

    variable: tuple[str, ...]
    filter_by: Filter = Filter()
    extract_by: Extract = Extract()
    order_by: Order = Order()
    limit: Limit = Limit()


class ListOperator(Node):
    """Outputs the list `result`, its `first_record` and its `last_record` (null if it is empty)."""

    kind = "list-operator"
    Config = ListOperatorConfig

    def run(self, context: NodeContext) -> Result:
        items = context.variables.require(self.config.variable)
        if not isinstance(items, list):
            raise NodeFailed(
                f"Variable {'.'.join(self.config.variable)} must be a list; it is of type {kind_of(items)}.", "NotAList"
            )
        inputs = {"variable": items}
        try:
            # An empty list stays empty: no member can be picked from it, and that must not fail the node.
            result = self._apply_steps(items, context.variables) if items else []
        except Incomparable as failure:
            raise NodeFailed(f"The list cannot be processed: {failure}.", "ListOperatorError", inputs) from None
        outputs = {
            "result": result,
            "first_record": result[0] if result else None,
            "last_record": result[-1] if result else None,
        }
        return Result(outputs, inputs=inputs)

    def _apply_steps(self, items: list[Any], variables: Variables) -> list[Any]:
        config = self.config
        if config.filter_by.enabled:
            for condition in config.filter_by.conditions:
                value = filled(condition.value, variables)
                items = [item for item in items if _matches(item, condition, value)]
        if config.extract_by.enabled:
            items = _pick(items, filled(config.extract_by.serial, variables))
        if config.order_by.enabled:
            items = _sort(items, config.order_by)
        if config.limit.enabled and config.limit.size >= 0:
            items = items[: config.limit.size]
        return items


def _matches(item: Any, condition: FilterCondition, value: Any) -> bool:
    """Return whether a member meets a condition. Raises Incomparable."""
    operator = condition.comparison_operator
    if isinstance(item, File):
        item, value = _attribute(item, condition.key), wanted_value(value, condition.key)
        # An attribute that the file lacks is compared like an empty text.
        item = "" if item is None else item
    kind = kind_of(item)
    if operator not in _OPERATORS.get(kind, ()):
        raise Incomparable(f"the operator {operator!r} does not apply to members of type {kind}")
    if operator in ("in", "not in") and isinstance(value, str):
        # Here the member may be part of a text; the same operators of if-else want a list.
        return (item in value) == (operator == "in")
    return compare(item, operator, value)


def _pick(items: list[Any], serial: str) -> list[Any]:
    """Return a list of the one member at a place. Raises Incomparable where there is none."""
    try:
        place = int(serial)
    except ValueError:
        raise Incomparable(f"the serial {serial!r} is not a whole number") from None
    if not 1 <= place <= len(items):
        raise Incomparable(f"there is no member {place}, the list has {len(items)}")
    return [items[place - 1]]


def _sort(items: list[Any], order: Order) -> list[Any]:
    """Return the sorted list; null members come first in ascending order. Raises Incomparable."""

    def place(item: Any) -> tuple[bool, Any]:
        value = _attribute(item, order.key) if isinstance(item, File) else item
        return value is not None, value

    try:
        return sorted(items, key=place, reverse=order.value == "desc")
    except TypeError:
        raise Incomparable("its members are of different types or have no order") from None


def _attribute(file: File, key: str) -> Any:
    if key not in File.ATTRIBUTES:
        raise Incomparable(f"files have no attribute {key!r}")
    return file_value(file, key)
