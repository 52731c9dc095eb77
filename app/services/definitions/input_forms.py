"""Input forms: checked at import, and the values that end users fill in (contract endpoints.md, 'Input form')."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import orjson
import pydantic
from pydantic_core import CoreSchema, core_schema

from app.errors import InvalidParam
from app.services.definitions.file_parts import STORED, ListOf
from app.services.definitions.file_rules import FileRules
from app.services.definitions.input_fields import FIELD_TYPES, InputField
from app.workflow.values.files import File, unmarked

DEEPEST = 100
_Check = Callable[[InputField, Any], Any]
# From file mappings to file values, checked by a field's rules. Raises InvalidParam.
ChooseFiles = Callable[[Sequence[Mapping[str, Any]], FileRules], Sequence[File]]

# Larger whole numbers than floats can be would be numbers here and none in a browser.
_LARGEST = 10**300
# Python refuses to read whole numbers of thousands of digits.
_WHOLE = re.compile(r"[+-]?[0-9]{1,1000}")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.[0-9]*|\.[0-9]+)")
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def clean_inputs(
    fields: Sequence[InputField], inputs: Mapping[str, Any], choose_files: ChooseFiles, longest: int = 0
) -> dict[str, Any]:
    """Return a value for every variable of the form, None where there is none; drop what the form does not declare.

    Files become the file objects of the Web API, without a link. `longest`: the most characters of a text or a JSON
    object whose field has no `max_length`; 0 for any number. Raises InvalidParam.
    """
    # The value of an external data tool comes from the tool, not from the end user.
    asked = [field for field in fields if field.type != "external_data_tool"]
    cleaned = {field.variable: _clean(field, inputs.get(field.variable), choose_files) for field in asked}
    for field in asked:
        # Defaults are the author's.
        if longest and inputs.get(field.variable) is not None:
            _check_length(field, cleaned[field.variable], longest)
    return cleaned


def _check_length(field: InputField, value: Any, longest: int) -> None:
    """Raise InvalidParam for a value that is longer than a field without `max_length` may be."""
    if field.type == "json_object" and value:
        length = len(orjson.dumps(value, default=str))
    else:
        length = len(value) if isinstance(value, str) and not field.max_length else 0
    if length > longest:
        raise InvalidParam(f"{field.variable} in input form must be less than {longest} characters")


def _clean(field: InputField, value: Any, choose_files: ChooseFiles) -> Any:
    if value is None and field.required:
        raise InvalidParam(f"{field.variable} is required in input form")
    given = field.default_value if value is None else value
    if given is None:
        return None
    given = _without_nul(field, given, DEEPEST)
    if field.type == "file":
        return _file(field, given, choose_files)
    if field.type == "file-list":
        return _files(field, given, choose_files)
    check: _Check = _CHECKS.get(field.type, _text)
    return check(field, given)


def _text(field: InputField, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidParam(f"(type '{field.type}') {field.variable} in input form must be a string")
    if field.max_length and len(value) > field.max_length:
        raise InvalidParam(f"{field.variable} in input form must be less than {field.max_length} characters")
    return value


def _select(field: InputField, value: Any) -> str | None:
    if not isinstance(value, str):
        raise InvalidParam(f"(type 'select') {field.variable} in input form must be a string")
    if value in field.options:
        return value
    if not value and not field.required:
        return None
    raise InvalidParam(f"{field.variable} in input form must be one of the following: {list(field.options)}")


def _number(field: InputField, value: Any) -> int | float | None:
    _refuse_objects(field, value)
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        value = _read_number(text)
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_LARGEST < value < _LARGEST:
        raise InvalidParam(f"{field.variable} in input form must be a valid number")
    return value


def _read_number(text: str) -> int | float | None:
    if _DECIMAL.fullmatch(text):
        return float(text)
    return int(text) if _WHOLE.fullmatch(text) else None


def _checkbox(field: InputField, value: Any) -> bool:
    _refuse_objects(field, value)
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower())
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise InvalidParam(f"{field.variable} in input form must be true or false")


def _file(field: InputField, value: Any, choose_files: ChooseFiles) -> dict[str, Any] | None:
    if value == "" and not field.required:
        return None
    if not isinstance(value, Mapping):
        raise InvalidParam(f"{field.variable} in input form must be a file")
    (file,) = choose_files([value], field.field_rules)
    return file.as_object()


def _files(field: InputField, value: Any, choose_files: ChooseFiles) -> list[dict[str, Any]] | None:
    if value == "" and not field.required:
        return None
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidParam(f"{field.variable} in input form must be a list of files")
    if field.max_length and len(value) > field.max_length:
        raise InvalidParam(f"{field.variable} in input form must be less than {field.max_length} files")
    return [file.as_object() for file in choose_files(value, field.field_rules)]


def _object(field: InputField, value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict):
        # Files come by the fields of files, which ask whose they are.
        return dict(unmarked(value))
    if value:
        raise InvalidParam(f"{field.variable} in input form must be a dict")
    return None


def _refuse_objects(field: InputField, value: Any) -> None:
    if isinstance(value, Mapping) or (isinstance(value, list) and any(isinstance(item, Mapping) for item in value)):
        raise InvalidParam(f"Invalid input type for {field.variable}")


def _without_nul(field: InputField, value: Any, depth: int) -> Any:
    """Remove NUL characters, which PostgreSQL cannot store, from a value and all that it holds."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if not isinstance(value, dict | list):
        return value
    if depth == 0:
        raise InvalidParam(f"{field.variable} in input form is nested too deeply")
    if isinstance(value, list):
        return [_without_nul(field, item, depth - 1) for item in value]
    return {key.replace("\0", ""): _without_nul(field, item, depth - 1) for key, item in value.items()}


_CHECKS: Mapping[str, _Check] = {
    "text-input": _text,
    "paragraph": _text,
    "select": _select,
    "number": _number,
    "checkbox": _checkbox,
    "json_object": _object,
}


def _fields(entries: Sequence[dict[str, InputField]], info: pydantic.ValidationInfo) -> tuple[InputField, ...]:
    """Return the fields of a form whose entries are mappings of one key, the field's type."""
    if info.context == STORED:
        entries = [entry for entry in entries if len(entry) == 1]
    else:
        _check_form(entries)
    fields = [field.model_copy(update={"type": kind}) for entry in entries for kind, field in entry.items()]
    return tuple(field for field in fields if field.variable)


def _check_form(entries: Sequence[dict[str, InputField]]) -> None:
    """Check what the types of the fields do not say. Raises ValueError."""
    seen: set[str] = set()
    for entry in entries:
        if len(entry) != 1:
            raise ValueError("each entry must have one key, the type of its field")
        ((kind, field),) = entry.items()
        _check_field(kind, field)
        if field.variable in seen:
            raise ValueError(f"the variable {field.variable!r} is declared twice")
        seen.add(field.variable)


def _check_field(kind: str, field: InputField) -> None:
    problem = field_problem(field.model_copy(update={"type": kind}))
    if problem:
        raise ValueError(problem)


def unknown_type(field: InputField) -> str:
    """Return the sentence for a field whose type is none of FIELD_TYPES."""
    close = difflib.get_close_matches(field.type, FIELD_TYPES, 1, 0.5)
    meant = f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(FIELD_TYPES)}"
    return f"{field.variable!r} has an unknown type {field.type!r}{meant}"


def field_problem(field: InputField) -> str:
    """Return what is wrong with a field of a form: its type, its options or its default; empty where nothing is."""
    kind = field.type
    if kind not in FIELD_TYPES:
        return unknown_type(field)
    if kind == "select" and not field.options:
        return f"{field.variable!r} is a select without options"
    if kind in ("file", "file-list", "external_data_tool"):
        return ""
    try:
        clean_inputs([field.model_copy(update={"required": False})], {}, lambda mappings, rules: ())
    except InvalidParam as error:
        return f"the default of {field.variable!r} cannot be used: {error.message}"
    return ""


def _form_schema(source: Any, handler: pydantic.GetCoreSchemaHandler) -> CoreSchema:
    entries = handler.generate_schema(ListOf[dict[str, InputField]])
    return core_schema.with_info_after_validator_function(_fields, entries)


# The `user_input_form` of a model config.
InputForm = Annotated[tuple[InputField, ...], pydantic.GetPydanticSchema(_form_schema)]
