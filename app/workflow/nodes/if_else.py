"""`if-else`: one branch of several, chosen by conditions (contract dsl.md §3.7)."""

from typing import Annotated, Any

import pydantic

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext, handle_name
from app.workflow.failures import NodeFailed
from app.workflow.rules.conditions import Condition, LogicalOperator, hold

ELSE = "false"


class Case(ConfigPart):
    """One case: the edges of the handle `case_id` are taken if its group of conditions holds."""

    case_id: Annotated[str, pydantic.BeforeValidator(handle_name)]
    logical_operator: LogicalOperator = "and"
    conditions: list[Condition] = []


class IfElseConfig(NodeConfig):
    """The configuration of an if-else node. Old files have one group of conditions in the place of `cases`."""

    cases: list[Case] | None = None
    logical_operator: LogicalOperator = "and"
    conditions: list[Condition] = []

    @property
    def all_cases(self) -> list[Case]:
        """The cases in order; an old file's group of conditions is the case `true`."""
        if self.cases is None and self.conditions:
            return [Case(case_id="true", logical_operator=self.logical_operator, conditions=self.conditions)]
        return self.cases or []


class IfElse(Node):
    """Chooses the first case that holds, else the handle `false`: outputs `result` and `selected_case_id`."""

    kind = "if-else"
    Config = IfElseConfig
    branches = True

    @property
    def own_handles(self) -> tuple[str, ...]:
        return (*(case.case_id for case in self.config.all_cases), ELSE)

    def run(self, context: NodeContext) -> Result:
        compared: list[dict[str, Any]] = []
        results: list[dict[str, Any]] = []
        chosen = ELSE
        try:
            for case in self.config.all_cases:
                result = hold(case.conditions, case.logical_operator, context.variables, compared)
                results.append({"case_id": case.case_id, "result": result})
                if result:
                    chosen = case.case_id
                    break
        except NodeFailed as failure:
            raise NodeFailed(
                failure.message, failure.error_type, {"conditions": compared}, {"condition_results": results}
            ) from None
        matched = bool(results) and results[-1]["result"]
        outputs = {"result": matched, "selected_case_id": chosen}
        return Result(outputs, chosen, inputs={"conditions": compared}, process_data={"condition_results": results})
