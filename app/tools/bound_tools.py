"""Tools as one app uses them: with settings that its author fixed, and with arguments checked before each call."""

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import Any

import jsonschema
import orjson
import referencing
from referencing.exceptions import Unresolvable

from app.providers.cancellation import Cancellation
from app.tools.tool_types import Tool, ToolAnswer, ToolDescription, ToolFailed

LONGEST_PROBLEM = 300
_JSON_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
# An empty registry: the default one fetches schemas from wherever a `$ref` points.
_NO_OTHER_DOCUMENTS: referencing.Registry[Any] = referencing.Registry()


class BoundTool:
    """A tool with fixed settings, which are left out of its description and override arguments of the same name."""

    def __init__(self, tool: Tool, settings: Mapping[str, Any]) -> None:
        self._tool = tool
        self._fixed = fixed_settings(settings)
        full = tool.description
        self._schema = full.parameters
        shown = {
            name: schema for name, schema in full.parameters.get("properties", {}).items() if name not in self._fixed
        }
        required = [name for name in full.parameters.get("required", []) if name not in self._fixed]
        self.description: ToolDescription = dataclasses.replace(
            full, parameters={**full.parameters, "properties": shown, "required": required}
        )

    def call(self, arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        whole = _in_their_types({**arguments, **self._fixed}, self._schema.get("properties", {}))
        _check(self._schema, whole)
        return self._tool.call(whole, seconds, cancellation)


def fixed_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an app file that have a value.

    Newer files wrap constants as `{"type", "value"}`, and mark with `auto` 1 those that the model chooses.
    """
    fixed: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping) and ("auto" in value or set(value) <= {"type", "value"}):
            if value.get("auto") in (1, True):
                continue
            value = value.get("value")
            if isinstance(value, Mapping) and set(value) <= {"type", "value"}:
                value = value.get("value")
        if value not in (None, ""):
            fixed[name] = value
    return fixed


def _in_their_types(arguments: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with texts read as the numbers, booleans, lists or objects that the schema wants.

    Templates only make texts, and models sometimes write texts for numbers.
    """
    typed = dict(arguments)
    for name, value in arguments.items():
        wanted = _JSON_TYPES.get(str(_mapping(properties.get(name)).get("type")))
        if wanted is not None and isinstance(value, str):
            with contextlib.suppress(orjson.JSONDecodeError):
                read = orjson.loads(value)
                typed[name] = read if isinstance(read, wanted) else value
    return typed


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _check(schema: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
    """Check arguments against a schema. Raises ToolFailed with one line by which a model can correct its call."""
    try:
        problem = jsonschema.exceptions.best_match(
            jsonschema.Draft202012Validator(schema, registry=_NO_OTHER_DOCUMENTS).iter_errors(arguments)
        )
    except (jsonschema.exceptions.SchemaError, Unresolvable, RecursionError) as fault:
        raise ToolFailed(
            f"The tool's own description cannot be used: {str(fault).splitlines()[0][:LONGEST_PROBLEM]}"
        ) from None
    if problem is not None:
        place = ".".join(str(step) for step in problem.absolute_path)
        raise ToolFailed(f"Bad argument{f' {place!r}' if place else 's'}: {problem.message[:LONGEST_PROBLEM]}")
