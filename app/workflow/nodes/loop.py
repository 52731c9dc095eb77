"""`loop`: the children again and again, with variables of the loop's own (contract dsl.md §3.7)."""

from typing import Any, Literal

import orjson
import pydantic

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import GraphRunFailed, NodeFailed, RunTimedOut
from app.workflow.rules.conditions import Condition, hold
from app.workflow.values.value_types import cleared_value, fits
from app.workflow.values.variables import Variables


class LoopVariable(ConfigPart):
    label: str
    var_type: str = "string"
    value_type: Literal["variable", "constant"] = "constant"
    value: Any = None

    def first_value(self, variables: Variables) -> Any:
        """Raises NodeFailed where the variable that it begins with is not there, or a constant is not of its type."""
        if self.value_type == "variable":
            return variables.require(tuple(map(str, self.value or ())))
        value = self._constant()
        if not fits(value, self.var_type):
            raise NodeFailed(
                f"The loop variable {self.label!r} is no {self.var_type}: {self.value!r}.", "LoopVariableError"
            )
        return value

    def _constant(self) -> Any:
        """Editors write numbers, objects and arrays as texts, and leave them empty."""
        if self.value is None or (self.value == "" and self.var_type != "string"):
            return cleared_value(self.var_type)
        if not isinstance(self.value, str) or self.var_type == "string":
            return self.value
        try:
            return orjson.loads(self.value)
        except orjson.JSONDecodeError:
            return self.value


class LoopConfig(NodeConfig):
    loop_count: int = pydantic.Field(ge=1)
    break_conditions: list[Condition] = []
    logical_operator: Literal["and", "or"] = "and"
    loop_variables: list[LoopVariable] = []


class Loop(Node):
    kind = "loop"
    Config = LoopConfig
    container = True

    def run(self, context: NodeContext) -> Result:
        config = self.config
        values = {variable.label: variable.first_value(context.variables) for variable in config.loop_variables}
        inputs = {"loop_count": config.loop_count, **values}
        context.rounds.begin(inputs, config.loop_count)
        scope = Variables(context.variables)
        scope.set_writable(self.id, values, {variable.label: variable.var_type for variable in config.loop_variables})
        try:
            played = self._play(context, scope)
        except (GraphRunFailed, NodeFailed) as failure:
            context.rounds.finish(Result(outputs=self._outputs(scope, 0), inputs=inputs), str(failure))
            if isinstance(failure, RunTimedOut | NodeFailed):
                raise
            raise NodeFailed(str(failure), "LoopError", inputs) from None
        result = Result(outputs=self._outputs(scope, played), inputs=inputs)
        context.rounds.finish(result, None)
        return result

    def _play(self, context: NodeContext, scope: Variables) -> int:
        """How many rounds were played. Raises RunFailed, NodeFailed."""
        if self._breaks_at_once(scope):
            return 0
        for index in range(self.config.loop_count):
            variables = Variables(scope)
            broken = context.rounds.run_round(index, variables, self._outputs(scope, index), emit_start=index > 0)
            if broken or self._breaks(variables):
                return index + 1
        return int(self.config.loop_count)

    def _outputs(self, scope: Variables, played: int) -> dict[str, Any]:
        return dict(scope.node(self.id)) | ({"loop_round": played} if played else {})

    def _breaks(self, variables: Variables) -> bool:
        conditions = self.config.break_conditions
        return bool(conditions) and hold(conditions, self.config.logical_operator, variables)

    def _breaks_at_once(self, variables: Variables) -> bool:
        """Before the first round errors are no matter: the children have given nothing yet."""
        try:
            return self._breaks(variables)
        except NodeFailed:
            return False
