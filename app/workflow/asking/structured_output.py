"""Answers that must fit a JSON schema: how a model is asked for them, and how they are read and checked."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jsonschema
import referencing
import referencing.exceptions

from app.providers.models.answer_endings import is_out_of_tokens
from app.providers.models.chat_types import ModelMessage
from app.providers.models.json_answers import find_object
from app.workflow.failures import NodeFailed

Schema = Mapping[str, Any]
NAME = "answer"


def _anything(*_: Any) -> Iterator[jsonschema.ValidationError]:
    yield from ()


# Patterns are not checked: a regular expression can take for ever on the wrong text, and a thread cannot be stopped.
# The model reads them all the same.
_Checker: Callable[..., Any] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _anything, "patternProperties": _anything}
)


def schema_fault(schema: Schema) -> str | None:
    """Return what is wrong with a schema, None if it is valid."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return str(error.message)
    return None


def request_options(schema: Schema) -> dict[str, Any]:
    """Return the request options by which a model server constrains its model to the schema, if it supports that."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": NAME, "schema": schema}}}


def instructed(messages: Sequence[ModelMessage], schema: Schema) -> list[ModelMessage]:
    """Return the messages with the schema in the system message, for servers that ignore the request option."""
    wanted = (
        "Answer with nothing but one JSON object, without code fences and explanations. It must fit this JSON schema:\n"
        f"{json.dumps(schema, ensure_ascii=False)}"
    )
    if messages and messages[0].role == "system":
        return [ModelMessage("system", f"{messages[0].text()}\n\n{wanted}"), *messages[1:]]
    return [ModelMessage("system", wanted), *messages]


def read_answer(text: str, schema: Schema, finish_reason: str) -> dict[str, Any]:
    """Return the JSON object in a model's answer. Raises NodeFailed if there is none or it does not fit the schema.

    Of an answer that was cut at its limit of tokens nothing is completed: half a number is another number.
    """
    is_cut = is_out_of_tokens(finish_reason)
    found = find_object(text, repair=not is_cut, names=schema.get("properties") or ())
    if found is None and is_cut:
        raise NodeFailed(
            "The model's answer reached its limit of tokens before its JSON object was complete.", "OutputParserError"
        )
    if found is None:
        raise NodeFailed("The model's answer contains no JSON object.", "OutputParserError")
    try:
        # A registry of its own: the default one would fetch schemas from wherever a `$ref` points.
        checker = _Checker(schema, registry=referencing.Registry())
        fault = jsonschema.exceptions.best_match(checker.iter_errors(found))
    except (referencing.exceptions.Unresolvable, RecursionError):
        raise NodeFailed(
            "The JSON schema of the structured output has a reference that cannot be resolved.", "OutputParserError"
        ) from None
    if fault is not None:
        place = ".".join(map(str, fault.absolute_path))
        raise NodeFailed(
            f"The model's answer does not fit its JSON schema: {f'{place}: ' if place else ''}{fault.message}",
            "OutputParserError",
        )
    return found
