"""`end`: the outputs of a workflow (contract dsl.md §3.7)."""

from typing import Any

from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.values.variables import MISSING, Selector


class Output(ConfigPart):
    """One output of the workflow."""

    variable: str
    value_selector: tuple[str, ...] = ()


class EndConfig(NodeConfig):
    """The configuration of an end node."""

    outputs: list[Output] = []


class End(Node):
    """Outputs the selected values by name, null where a selector finds none; they are the run's outputs."""

    kind = "end"
    Config = EndConfig

    @property
    def text_parts(self) -> tuple[str | Selector, ...]:
        """The outputs' selectors with a newline between two."""
        parts: list[str | Selector] = []
        for output in self.config.outputs:
            parts += ["\n", output.value_selector] if parts else [output.value_selector]
        return tuple(parts)

    def run(self, context: NodeContext) -> Result:
        outputs: dict[str, Any] = {}
        for output in self.config.outputs:
            value = context.variables.get(output.value_selector)
            outputs[output.variable] = None if value is MISSING else value
        return Result(outputs=outputs, inputs=outputs)
