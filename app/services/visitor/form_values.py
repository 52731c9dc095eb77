"""Check what people submit against the inputs of a form (contract human-input.md §6.1)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from flask import current_app

from app.errors import InvalidParam
from app.errors.forms import InvalidFormData
from app.models.owners import Owner
from app.services.definitions.file_rules import FileLimits
from app.services.files.file_mappings import FileResolver
from app.services.process.stored_values import cleaned
from app.workflow.values.files import unmarked
from app.workflow.values.values import plain

FORM_METHODS = frozenset({"local_file", "remote_url"})
_Check = Callable[[Mapping[str, Any], str, Any, FileResolver], Any]


def clean_values(shapes: Sequence[Mapping[str, Any]], inputs: Mapping[str, Any], owner: Owner) -> dict[str, Any]:
    """Return the values as they are stored, files as file objects. Keys that the form does not declare are kept.

    `shapes`: the form's inputs. `owner`: the end user whose files may be named. Raises InvalidFormData.
    """
    values = dict(unmarked(cleaned(dict(inputs))))
    _check_lengths(values, current_app.config["INPUT_CHARACTERS"])
    own_files = FileResolver(owner)
    for shape in shapes:
        name = shape["output_variable_name"]
        if name in inputs:
            values[name] = _CHECKS[shape["type"]](shape, name, values[name], own_files)
    return values


def _check_lengths(values: Mapping[str, Any], longest: int) -> None:
    """Raise InvalidFormData for a value of more than `longest` characters, as JSON if it is no text; 0 allows any."""
    for name, value in values.items():
        length = len(value) if isinstance(value, str) else len(orjson.dumps(value))
        if longest and length > longest:
            raise InvalidFormData(f"Invalid value for input '{name}': must be at most {longest} characters")


def _paragraph(shape: Mapping[str, Any], name: str, value: Any, own_files: FileResolver) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidFormData(f"Invalid value for paragraph input '{name}': expected string")
    return value


def _select(shape: Mapping[str, Any], name: str, value: Any, own_files: FileResolver) -> str:
    if not isinstance(value, str):
        raise InvalidFormData(f"Invalid value for select input '{name}': expected string")
    if value not in shape["option_source"]["value"]:
        raise InvalidFormData(f"Invalid value for select input '{name}': {value}")
    return value


def _file(shape: Mapping[str, Any], name: str, value: Any, own_files: FileResolver) -> dict[str, Any]:
    about = f"Invalid value for file input '{name}'"
    if not isinstance(value, Mapping):
        raise InvalidFormData(f"{about}: expected a file mapping")
    return _chosen(shape, [value], own_files, about)[0]


def _files(shape: Mapping[str, Any], name: str, value: Any, own_files: FileResolver) -> list[dict[str, Any]]:
    about = f"Invalid value for file list input '{name}'"
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise InvalidFormData(f"{about}: expected a list of file mappings")
    most = shape.get("number_limits") or 0
    if most and len(value) > most:
        raise InvalidFormData(f"{about}: at most {most} files are allowed")
    return _chosen(shape, value, own_files, about)


def _chosen(
    shape: Mapping[str, Any], mappings: Sequence[Mapping[str, Any]], own_files: FileResolver, about: str
) -> list[dict[str, Any]]:
    # Editors write an empty list where nothing is restricted.
    named = {name: value for name, value in shape.items() if value}
    rules = FileLimits.read(named).field_rules
    if any(mapping.get("transfer_method") not in FORM_METHODS for mapping in mappings):
        raise InvalidFormData(f"{about}: transfer_method must be local_file or remote_url")
    try:
        chosen: list[dict[str, Any]] = plain(own_files.choose(mappings, rules))
    except InvalidParam as wrong:
        raise InvalidFormData(f"{about}: {wrong.message}") from None
    return chosen


_CHECKS: Mapping[str, _Check] = {"paragraph": _paragraph, "select": _select, "file": _file, "file-list": _files}
