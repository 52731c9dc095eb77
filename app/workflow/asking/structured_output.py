"""Answers that have to fit a JSON schema: asking for them, reading them, checking them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jsonschema
import referencing
import referencing.exceptions

from app.providers.models.chat_types import ModelMessage
from app.workflow.asking.json_answers import find_object
from app.workflow.failures import NodeFailed

Schema = Mapping[str, Any]
NAME = "answer"


def _anything(*_: Any) -> Iterator[jsonschema.ValidationError]:
    yield from ()


# A pattern may take for ever on the wrong text, and a thread cannot be stopped; patterns are told to the model alone.
_Checker: Callable[..., Any] = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, {"pattern": _anything, "patternProperties": _anything}
)


def schema_fault(schema: Schema) -> str | None:
    """What is wrong with a schema; None if nothing is."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        return str(error.message)
    return None


def request_options(schema: Schema) -> dict[str, Any]:
    """What makes a model server hold its model to the schema, if it can."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": NAME, "schema": schema}}}


def instructed(messages: Sequence[ModelMessage], schema: Schema) -> list[ModelMessage]:
    """The messages with the schema told in words, for servers that hold no model to anything."""
    wanted = (
        "Answer with nothing but one JSON object, without code fences and explanations. It must fit this JSON schema:\n"
        f"{json.dumps(schema, ensure_ascii=False)}"
    )
    if messages and messages[0].role == "system":
        return [ModelMessage("system", f"{messages[0].text()}\n\n{wanted}"), *messages[1:]]
    return [ModelMessage("system", wanted), *messages]


def read_answer(text: str, schema: Schema) -> dict[str, Any]:
    """The object that a model answered. Raises NodeFailed where there is none, or it does not fit."""
    found = find_object(text, repair=True)
    if found is None:
        raise NodeFailed("The model's answer holds no JSON object.", "OutputParserError")
    try:
        # A registry of its own: the default one would fetch schemas from wherever a `$ref` points.
        checker = _Checker(schema, registry=referencing.Registry())
        fault = jsonschema.exceptions.best_match(checker.iter_errors(found))
    except (referencing.exceptions.Unresolvable, RecursionError):
        raise NodeFailed(
            "The JSON schema of the structured output refers to what is not there.", "OutputParserError"
        ) from None
    if fault is not None:
        place = ".".join(map(str, fault.absolute_path))
        raise NodeFailed(
            f"The model's answer does not fit its JSON schema: {f'{place}: ' if place else ''}{fault.message}",
            "OutputParserError",
        )
    return found
