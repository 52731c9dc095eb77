"""`llm`: a prompt for a model, whose answer is streamed (contract dsl.md §3.7)."""

from typing import Any, Literal

import pydantic

from app.workflow.asking.llm_prompt import LlmPrompt, PromptFields
from app.workflow.asking.model_calls import ModelCall, NodeModel
from app.workflow.asking.structured_output import Schema, read_answer, request_options, schema_fault
from app.workflow.contracts.events import THOUGHTS, Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import GraphInvalid, NodeFailed


class StructuredOutput(ConfigPart):
    """The JSON schema that the answer must fit; the field is named `schema` in app files."""

    wanted: dict[str, Any] | None = pydantic.Field(None, alias="schema")


class LlmConfig(NodeConfig, PromptFields):
    """The configuration of an llm node. `reasoning_format` `separated`: reasoning is taken out of the answer."""

    model: NodeModel
    structured_output_enabled: bool = False
    structured_output: StructuredOutput = StructuredOutput()
    reasoning_format: Literal["separated", "tagged"] = "tagged"


class Llm(Node):
    """Asks a model: outputs `text` (streamed), `reasoning_content`, `usage`, `finish_reason`, `structured_output`."""

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
        tagged = self.config.reasoning_format == "tagged"
        reply = call.ask(
            context,
            model,
            lambda change: context.stream("text", change),
            tagged=tagged,
            on_thoughts=None if tagged else lambda piece, are_over: _tell_thoughts(context, piece, are_over),
        )
        outputs = {
            "text": reply.text,
            "reasoning_content": "" if tagged else reply.reasoning,
            "usage": reply.usage,
            "finish_reason": reply.finish_reason,
        }
        if schema:
            try:
                outputs["structured_output"] = read_answer(reply.written, schema, reply.finish_reason)
            except NodeFailed as failure:
                raise call.failure(failure.message, failure.error_type, reply) from None
        return Result(
            outputs=outputs, inputs=prompt.inputs, process_data=call.process_data(reply), usage=reply.recorded_usage
        )

    @property
    def _schema(self) -> Schema | None:
        wanted: Schema | None = self.config.structured_output.wanted if self.config.structured_output_enabled else None
        return wanted


def _tell_thoughts(context: NodeContext, piece: str, are_over: bool) -> None:
    context.report(THOUGHTS, {"reasoning": piece, "is_final": are_over})
