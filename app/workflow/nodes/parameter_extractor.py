"""`parameter-extractor`: a model extracts parameters from a text (contract dsl.md §3.7)."""

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

from app.providers.models.json_answers import find_object
from app.workflow.asking.model_calls import ModelReply
from app.workflow.asking.model_questions import QuestionFields
from app.workflow.asking.structured_output import Schema, request_options
from app.workflow.contracts.events import Result
from app.workflow.contracts.node import ConfigPart, Node, NodeConfig, NodeContext
from app.workflow.failures import GraphInvalid, NodeFailed
from app.workflow.values.variables import Selector

RESERVED = ("__is_success", "__reason", "__usage")
FUNCTION = "extract_parameters"
TASK = (
    "You read parameters out of the user's text; do not answer the text. "
    "Take only what the text says, and null for what it does not tell.\n"
    "{call}Say nothing but one JSON object that fits this JSON schema:\n"
    "{schema}"
)
CALL = f"Call the function {FUNCTION} with them. Without functions: "
_JSON_TYPES = {"bool": "boolean", "select": "string"}
_DEFAULTS: Mapping[str, Any] = {"string": "", "select": "", "number": 0, "bool": False, "boolean": False}
_CLASSES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "select": str,
    "number": (int, float),
    "bool": bool,
    "boolean": bool,
    "object": dict,
}


class ExtractedParameter(ConfigPart):
    """One parameter to extract. `options`: the values of a `select`."""

    name: str
    type: Literal[
        "string",
        "number",
        "bool",
        "boolean",
        "select",
        "array[string]",
        "array[number]",
        "array[object]",
        "array[boolean]",
    ] = "string"
    options: list[str] = []
    description: str = ""
    required: bool = False

    @property
    def schema_for_model(self) -> dict[str, Any]:
        """The parameter as a JSON schema; one that is not required may be null."""
        base = self._item_type or self.type
        kind: Any = "array" if self._item_type else _JSON_TYPES.get(base, base)
        schema: dict[str, Any] = {"type": kind if self.required else [kind, "null"], "description": self.description}
        if self._item_type:
            schema["items"] = {"type": base}
        if self.type == "select" and self.options:
            schema["enum"] = [*self.options, *([] if self.required else [None])]
        return schema

    def read(self, found: Mapping[str, Any]) -> tuple[Any, str | None]:
        """Return the parameter's value in a model's answer, and what is wrong with it or None.

        What fits is kept: of an array, the members that do. A value that does not fit is replaced by the default.
        """
        default = [] if self._item_type else _DEFAULTS[self.type]
        if self.name not in found or (found[self.name] is None and self.required):
            return default, f"Parameter {self.name} is missing."
        value = found[self.name]
        if value is None:
            return default, None
        if self._item_type is None:
            kept, fault = self._fitting(value, self.type)
            return (kept[0] if kept else default), fault
        if not isinstance(value, list):
            return default, f"Parameter {self.name} is not of type {self.type}."
        read = [self._fitting(item, self._item_type) for item in value]
        return [item for kept, _ in read for item in kept], next((fault for _, fault in read if fault), None)

    @property
    def _item_type(self) -> str | None:
        return self.type[len("array[") : -1] if self.type.startswith("array[") else None

    def _fitting(self, value: Any, kind: str) -> tuple[list[Any], str | None]:
        """Return a list with the value, empty if it does not fit, and the fault if it needed repair or does not fit."""
        wrong = f"Parameter {self.name} is not of type {self.type}."
        if kind == "number" and isinstance(value, str):
            return _numbers(value), wrong
        if not isinstance(value, _CLASSES[kind]) or (kind == "number" and isinstance(value, bool)):
            return [], wrong
        if kind == "select" and value not in self.options:
            return [], f"Parameter {self.name} is not one of its options."
        return [value], None


class ParameterExtractorConfig(NodeConfig, QuestionFields):
    """The configuration of a parameter extractor. `query`: the text's selector."""

    query: Selector
    parameters: list[ExtractedParameter] = []
    reasoning_mode: Literal["function_call", "prompt"] = "function_call"


class ParameterExtractor(Node):
    """Outputs each parameter, `__is_success` (1 or 0), `__reason` (what is wrong, or null) and `__usage`.

    An answer that does not fit is a success with defaults: only a failure of the model fails the node.
    """

    kind = "parameter-extractor"
    Config = ParameterExtractorConfig
    has_side_effects = True

    def check(self) -> None:
        for parameter in self.config.parameters:
            if parameter.name in RESERVED or not parameter.name:
                raise GraphInvalid(f"{self.name}: parameters: the name {parameter.name!r} is reserved")

    def run(self, context: NodeContext) -> Result:
        try:
            return self._extract(context)
        except NodeFailed as failure:
            failure.outputs |= {"__is_success": 0, "__reason": failure.message}
            raise

    def _extract(self, context: NodeContext) -> Result:
        model, schema = self.config.model.find(context), self._schema
        calling = self.config.reasoning_mode == "function_call" and model.mode == "chat"
        task = TASK.format(call=CALL if calling else "", schema=json.dumps(schema, ensure_ascii=False))
        call = self.config.question(
            context, model, task, self.config.query, _tool(schema) if calling else request_options(schema)
        )
        reply = call.ask(context, model)
        values, reason = self._read(reply)
        outputs = {**values, "__is_success": int(reason is None), "__reason": reason, "__usage": reply.usage}
        process_data = {**call.process_data(reply), "tool_call": reply.arguments, "llm_text": reply.text}
        return Result(outputs, inputs=call.inputs, process_data=process_data, usage=reply.recorded_usage)

    def _read(self, reply: ModelReply) -> tuple[dict[str, Any], str | None]:
        names = [parameter.name for parameter in self.config.parameters]
        found = find_object(reply.arguments, names=names)
        found = find_object(reply.written, names=names) if found is None else found
        read = {parameter.name: parameter.read(found or {}) for parameter in self.config.parameters}
        faults = [fault for _, fault in read.values() if fault]
        reason = "The model's answer contains no JSON object." if found is None else " ".join(faults) or None
        return {name: value for name, (value, _) in read.items()}, reason

    @property
    def _schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {parameter.name: parameter.schema_for_model for parameter in self.config.parameters},
            "required": [parameter.name for parameter in self.config.parameters],
        }


def _numbers(text: str) -> list[int | float]:
    """Return a list with the number that a text holds, empty if it holds none."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if kind is int or math.isfinite(number):
            return [number]
    return []


def _tool(schema: Schema) -> dict[str, Any]:
    function = {
        "name": FUNCTION,
        "description": "Take the parameters that were read out of the text.",
        "parameters": schema,
    }
    return {"tools": [{"type": "function", "function": function}], "tool_choice": "required"}
