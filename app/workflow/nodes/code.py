"""`code`: a function of the app's author, run in the sandbox (contract dsl.md §3.7)."""

from collections.abc import Collection
from typing import Any, Literal

from app.providers.sandbox import SandboxFailed
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.code_outputs import checked_outputs
from app.workflow.rules.named_values import NamedSelector, named_values

LONGEST_RUN = 15.0


class CodeConfig(NodeConfig):
    """The configuration of a code node. `outputs`: name → `{"type", "children"}`."""

    variables: list[NamedSelector] = []
    code_language: Literal["python3", "javascript"] = "python3"
    code: str
    outputs: dict[str, dict[str, Any]] = {}


class Code(Node):
    """Calls the function `main` with the variables as named arguments; outputs what it returns, checked."""

    kind = "code"
    Config = CodeConfig
    has_side_effects = True

    def is_authored(self, authored: Collection[str]) -> bool:
        return True

    def run(self, context: NodeContext) -> Result:
        if context.services.sandbox is None:
            raise NodeFailed("The sandbox for code is not available in this run.", "CodeExecutionError")
        inputs = named_values(self.config.variables, context.variables)
        try:
            returned = context.services.sandbox.run_code(
                self.config.code_language,
                self.config.code,
                inputs,
                context.seconds_left(LONGEST_RUN),
                context.cancellation,
            )
        except SandboxFailed as failure:
            raise NodeFailed(str(failure), "CodeExecutionError", inputs) from None
        try:
            return Result(outputs=checked_outputs(returned, self.config.outputs), inputs=inputs)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, inputs) from None
