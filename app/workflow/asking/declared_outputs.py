"""Ask for the outputs that an agent node declares (app files of 0.7.0), and read them."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.providers.models.chat_types import ModelMessage
from app.workflow.asking.structured_output import instructed, read_answer
from app.workflow.contracts.node import ConfigPart

_JSON_TYPES: Mapping[str, Mapping[str, Any]] = {
    "string": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "object": {"type": "object"},
}
# Of all agents; what declares one of these declares nothing new.
USUAL = ("text", "files", "json", "usage")


class DeclaredOutput(ConfigPart):
    """One output. `type`: string, number, boolean, object, or array[…] of one of them."""

    name: str
    type: str = "string"
    description: str = ""
    required: bool = True


def asked(messages: list[ModelMessage], declared: Sequence[DeclaredOutput]) -> list[ModelMessage]:
    """Return the messages with what the model's answer must hold; a single text needs no words about it."""
    wanted = _wanted(declared)
    return messages if _is_one_text(wanted) or not wanted else instructed(messages, _schema(wanted))


def read(text: str, declared: Sequence[DeclaredOutput], finish_reason: str) -> dict[str, Any]:
    """Return the declared outputs of a model's answer. Raises NodeFailed for an answer that does not hold them."""
    wanted = _wanted(declared)
    if _is_one_text(wanted):
        return {wanted[0].name: text}
    return dict(read_answer(text, _schema(wanted), finish_reason)) if wanted else {}


def _wanted(declared: Sequence[DeclaredOutput]) -> list[DeclaredOutput]:
    return [output for output in declared if output.name not in USUAL and "file" not in output.type]


def _is_one_text(wanted: Sequence[DeclaredOutput]) -> bool:
    return len(wanted) == 1 and wanted[0].type == "string"


def _schema(wanted: Sequence[DeclaredOutput]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {output.name: _type(output.type) | {"description": output.description} for output in wanted},
        "required": [output.name for output in wanted if output.required],
    }


def _type(name: str) -> dict[str, Any]:
    if name.startswith("array"):
        return {"type": "array", "items": dict(_JSON_TYPES.get(name[6:-1], {}))}
    return dict(_JSON_TYPES.get(name, {}))
