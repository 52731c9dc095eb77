"""Conditions of if-else nodes and loops (contract dsl.md §3.7, if-else)."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from app.workflow.contracts.node import ConfigPart
from app.workflow.failures import NodeFailed
from app.workflow.rules.comparisons import UNARY, Incomparable, Operator, compare
from app.workflow.values.files import File
from app.workflow.values.templates import filled
from app.workflow.values.values import plain, text_of
from app.workflow.values.variables import Variables

LogicalOperator = Literal["and", "or"]
OVER_FILES = ("contains", "not contains", "all of")


class SubCondition(ConfigPart):
    """One comparison of a file's attribute. `value` may hold references."""

    key: Literal["type", "size", "name", "mime_type", "transfer_method", "url", "extension", "related_id"]
    comparison_operator: Operator
    value: Any = None


class SubConditions(ConfigPart):
    """The conditions on the attributes of each file in an array."""

    logical_operator: LogicalOperator = "and"
    conditions: list[SubCondition] = []


class Condition(ConfigPart):
    """One comparison of a variable. `value` may hold references."""

    variable_selector: tuple[str, ...] = ()
    comparison_operator: Operator
    value: Any = None
    sub_variable_condition: SubConditions | None = None


def hold(
    conditions: Sequence[Condition],
    logical_operator: LogicalOperator,
    variables: Variables,
    trace: list[dict[str, Any]] | None = None,
) -> bool:
    """Return whether a group of conditions holds. Evaluation stops as soon as that is known. Raises NodeFailed.

    `trace` receives each comparison made, for the operator's records.
    """
    return _combined((_holds(condition, variables, trace) for condition in conditions), logical_operator)


def file_value(file: File, key: str) -> Any:
    """Return a file's attribute as conditions compare it: an extension without its dot."""
    value = file.attribute(key)
    return value.removeprefix(".") if key == "extension" and isinstance(value, str) else value


def wanted_value(value: Any, key: str) -> Any:
    """Return the value that a file's attribute is compared with, in the form that `file_value` gives."""
    if key != "extension":
        return value
    return [wanted_value(item, key) for item in value] if isinstance(value, list) else text_of(value).removeprefix(".")


def _combined(outcomes: Iterable[bool], logical_operator: LogicalOperator) -> bool:
    return all(outcomes) if logical_operator == "and" else any(outcomes)


def _holds(condition: Condition, variables: Variables, trace: list[dict[str, Any]] | None) -> bool:
    actual = variables.require(condition.variable_selector)
    operator = condition.comparison_operator
    seen = {
        "variable": ".".join(condition.variable_selector),
        "actual_value": plain(actual),
        "comparison_operator": operator,
    }
    if trace is not None:
        trace.append(seen)
    try:
        if operator in OVER_FILES and _are_files(actual):
            return _files_match(actual, operator, condition.sub_variable_condition, variables)
        expected = _expected(condition, variables)
        seen["expected_value"] = expected
        return compare(actual, operator, expected)
    except Incomparable as failure:
        raise NodeFailed(
            f"Variable {seen['variable']} cannot be compared by {operator!r}: {failure}.", "ConditionError"
        ) from None


def _expected(condition: Condition | SubCondition, variables: Variables) -> Any:
    return None if condition.comparison_operator in UNARY else filled(condition.value, variables)


def _are_files(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, File) for item in value)


def _files_match(files: Sequence[File], operator: str, group: SubConditions | None, variables: Variables) -> bool:
    """Return whether any file matches (`contains`), none (`not contains`) or every one (`all of`)."""
    if group is None:
        raise Incomparable("files are compared by their attributes, and the condition names none")
    matches = (_file_matches(file, group, variables) for file in files)
    if operator == "all of":
        return all(matches)
    return any(matches) == (operator == "contains")


def _file_matches(file: File, group: SubConditions, variables: Variables) -> bool:
    return _combined(
        (_attribute_holds(file, condition, variables) for condition in group.conditions), group.logical_operator
    )


def _attribute_holds(file: File, condition: SubCondition, variables: Variables) -> bool:
    expected = wanted_value(_expected(condition, variables), condition.key)
    return compare(file_value(file, condition.key), condition.comparison_operator, expected)
