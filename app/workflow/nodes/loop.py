"""`loop`: runs its children repeatedly, with variables of its own (contract dsl.md §3.7)."""

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
    """One variable of a loop. It starts as a constant or as another variable's value and is kept between rounds."""

    label: str
    var_type: str = "string"
    value_type: Literal["variable", "constant"] = "constant"
    value: Any = None

    def first_value(self, variables: Variables) -> Any:
        """Return the value before the first round. Raises NodeFailed: no such variable, a constant of another type."""
        if self.value_type == "variable":
            return variables.require(tuple(map(str, self.value or ())))
        value = self._constant()
        if not fits(value, self.var_type):
            raise NodeFailed(
                f"The loop variable {self.label!r} must be of type {self.var_type}, not {self.value!r}.",
                "LoopVariableError",
            )
        return value

    def _constant(self) -> Any:
        """Return the constant in its type: editors write numbers, objects and arrays as JSON text, or leave it out."""
        if self.value is None or (self.value == "" and self.var_type != "string"):
            return cleared_value(self.var_type)
        if not isinstance(self.value, str) or self.var_type == "string":
            return self.value
        try:
            return orjson.loads(self.value)
        except orjson.JSONDecodeError:
            return self.value


class LoopConfig(NodeConfig):
    """The configuration of a loop. `loop_count`: its maximum number of rounds."""

    loop_count: int = pydantic.Field(ge=1)
    break_conditions: list[Condition] = []
    logical_operator: Literal["and", "or"] = "and"
    loop_variables: list[LoopVariable] = []


class Loop(Node):
    """Outputs its variables and `loop_round`, the number of rounds, which is left out if there was none."""

    kind = "loop"
    Config = LoopConfig
    container = True

    def run(self, context: NodeContext) -> Result:
        config = self.config
        values = {variable.label: variable.first_value(context.variables) for variable in config.loop_variables}
        inputs = {"loop_count": config.loop_count, **values}
        context.rounds.begin(inputs, config.loop_count)
        # One scope for the loop's variables, which all rounds share, and inside it one for each round's outputs.
        scope = Variables(context.variables)
        scope.set_writable(self.id, values, {variable.label: variable.var_type for variable in config.loop_variables})
        try:
            rounds = self._run_rounds(context, scope)
        except (GraphRunFailed, NodeFailed) as failure:
            context.rounds.finish(Result(outputs=self._outputs(scope, 0), inputs=inputs), str(failure))
            # As in an iteration: a failed child fails this node, the run's time limit fails the run.
            if isinstance(failure, RunTimedOut | NodeFailed):
                raise
            raise NodeFailed(str(failure), "LoopError", inputs) from None
        result = Result(outputs=self._outputs(scope, rounds), inputs=inputs)
        context.rounds.finish(result, None)
        return result

    def _run_rounds(self, context: NodeContext, scope: Variables) -> int:
        """Run rounds until one ends the loop; return their number. Raises GraphRunFailed, NodeFailed, RunPaused."""
        if self._breaks_at_once(scope):
            return 0
        for index in range(self.config.loop_count):
            variables = Variables(scope)
            # The first round has no start event: `loop_next` comes between two rounds only (contract dsl.md §3.7).
            ended = context.rounds.run_round(index, variables, self._outputs(scope, index), emit_start=index > 0)
            if ended or self._breaks(variables):
                return index + 1
        return int(self.config.loop_count)

    def _outputs(self, scope: Variables, rounds: int) -> dict[str, Any]:
        return dict(scope.node(self.id)) | ({"loop_round": rounds} if rounds else {})

    def _breaks(self, variables: Variables) -> bool:
        conditions = self.config.break_conditions
        return bool(conditions) and hold(conditions, self.config.logical_operator, variables)

    def _breaks_at_once(self, variables: Variables) -> bool:
        """Return whether a break condition holds before the first round.

        Errors are ignored here: conditions may name the children's outputs, which do not exist yet.
        """
        try:
            return self._breaks(variables)
        except NodeFailed:
            return False
