"""`code`: a function of the author's, run in the sandbox (contract dsl.md §3.7)."""

from typing import Any, Literal

from app.providers.sandbox import SandboxFailed
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.code_outputs import checked_outputs
from app.workflow.rules.named_values import NamedSelector, named_values

LONGEST_RUN = 15.0


class CodeConfig(NodeConfig):
    variables: list[NamedSelector] = []
    code_language: Literal["python3", "javascript"] = "python3"
    code: str
    outputs: dict[str, dict[str, Any]] = {}


class Code(Node):
    kind = "code"
    Config = CodeConfig
    has_side_effects = True

    def run(self, context: NodeContext) -> Result:
        if context.services.sandbox is None:
            raise NodeFailed("There is no sandbox to run code in.", "CodeExecutionError")
        inputs = named_values(self.config.variables, context.variables)
        try:
            given = context.services.sandbox.run_code(
                self.config.code_language,
                self.config.code,
                inputs,
                context.seconds_left(LONGEST_RUN),
                context.cancellation,
            )
        except SandboxFailed as failure:
            raise NodeFailed(str(failure), "CodeExecutionError", inputs) from None
        try:
            return Result(outputs=checked_outputs(given, self.config.outputs), inputs=inputs)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, inputs) from None
