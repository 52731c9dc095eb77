"""`llm`: a prompt for a model, and its answer as it comes (contract dsl.md §3.7)."""

from typing import Any, Literal

import pydantic

from app.workflow.asking.llm_prompt import LlmPrompt, PromptFields
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.asking.structured_output import Schema, read_answer, request_options, schema_fault
from app.workflow.asking.thoughts import ThoughtSplitter
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import GraphInvalid, NodeFailed


class StructuredOutput(ConfigPart):
    wanted: dict[str, Any] | None = pydantic.Field(None, alias="schema")


class LlmConfig(NodeConfig, PromptFields):
    model: NodeModel
    structured_output_enabled: bool = False
    structured_output: StructuredOutput = StructuredOutput()
    reasoning_format: Literal["separated", "tagged"] = "tagged"


class Llm(Node):
    kind = "llm"
    Config = LlmConfig
    has_side_effects = True

    def check(self) -> None:
        if self.config.structured_output_enabled and not self._schema:
            raise GraphInvalid(f"{self.name}: structured_output.schema: Field required")
        fault = schema_fault(self._schema) if self._schema else None
        if fault is not None:
            raise GraphInvalid(f"{self.name}: structured_output.schema: {fault}")

    def run(self, context: NodeContext) -> Result:
        choice, schema = self.config.model, self._schema
        model = choice.find(context)
        options = {**choice.completion_params, **(request_options(schema) if schema else {})}
        prompt = LlmPrompt(self.config, context)
        messages = prompt.messages(model, options, schema)
        call = ModelCall(choice, messages, options, prompt.inputs, prompt.images)
        speech = _Speech(context, self.config.reasoning_format == "separated")
        reply = call.ask(context, model, speech.hear)
        speech.end()
        outputs = {
            "text": speech.text,
            "reasoning_content": speech.reasoning,
            "usage": reply.usage,
            "finish_reason": reply.finish_reason,
        }
        if schema:
            try:
                outputs["structured_output"] = read_answer(reply.text, schema)
            except NodeFailed as failure:
                raise call.failure(failure.message, failure.error_type, reply) from None
        return Result(outputs=outputs, inputs=prompt.inputs, process_data=call.process_data(reply), usage=reply.usage)

    @property
    def _schema(self) -> Schema | None:
        wanted: Schema | None = self.config.structured_output.wanted if self.config.structured_output_enabled else None
        return wanted


class _Speech:
    """What the visitor reads of an answer, and what of it was thought."""

    def __init__(self, context: NodeContext, separated: bool) -> None:
        self._context = context
        self._tags = ThoughtSplitter() if separated else None
        self._said: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._said)

    @property
    def reasoning(self) -> str:
        return self._tags.reasoning if self._tags is not None else ""

    def hear(self, piece: str) -> None:
        self._say(self._tags.feed(piece) if self._tags is not None else piece)

    def end(self) -> None:
        if self._tags is not None:
            self._say(self._tags.finish())

    def _say(self, piece: str) -> None:
        if piece:
            self._said.append(piece)
            self._context.stream("text", piece)
