"""`code`: a function of the app's author, run in the sandbox (contract dsl.md §3.7)."""

from collections.abc import Collection
from typing import Any, Literal

from app.providers.cancellation import Cancellation
from app.providers.sandbox import CodeRequest, CodeRequestFailed, CodeResponse, SandboxFailed
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import Node, NodeConfig, NodeContext
from app.workflow.contracts.node_services import HttpClient, HttpRequest
from app.workflow.failures import NodeFailed
from app.workflow.rules.code_outputs import checked_outputs
from app.workflow.rules.named_values import NamedSelector, named_values

LONGEST_RUN = 15.0
LARGEST_RESPONSE = 8 * 1024 * 1024


class CodeConfig(NodeConfig):
    """The configuration of a code node. `outputs`: name → `{"type", "children"}`."""

    variables: list[NamedSelector] = []
    code_language: Literal["python3", "javascript"] = "python3"
    code: str
    outputs: dict[str, dict[str, Any]] = {}


class _Requests:
    """Makes the requests of code as HTTP nodes do; redirects are the code's own to follow."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def __call__(self, request: CodeRequest, cancellation: Cancellation) -> CodeResponse:
        sent = HttpRequest(
            request.method,
            request.url,
            request.headers,
            body=request.body or None,
            timeouts=(request.seconds, request.seconds, request.seconds),
            verify=request.verify,
            follow=False,
        )
        try:
            answer = self._http.send(sent, LARGEST_RESPONSE, request.seconds, cancellation)
        except NodeFailed as failure:
            raise CodeRequestFailed(failure.message) from None
        return CodeResponse(answer.status, tuple(answer.headers.items()), answer.content)


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
                None if context.services.http is None else _Requests(context.services.http),
                context.deadline,
            )
        except SandboxFailed as failure:
            raise NodeFailed(str(failure), "CodeExecutionError", inputs) from None
        try:
            return Result(outputs=checked_outputs(returned, self.config.outputs), inputs=inputs)
        except NodeFailed as failure:
            raise NodeFailed(failure.message, failure.error_type, inputs) from None
