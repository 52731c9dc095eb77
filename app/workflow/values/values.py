"""The text forms and the JSON form of variables' values: JSON values and files (contract dsl.md §3.3)."""

import json
from collections.abc import Mapping
from typing import Any

from app.workflow.values.files import File


def text_of(value: Any) -> str:
    """Return a value's text in prompts, HTTP texts and conditions: JSON for objects, "" for null and for files."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, File) or value == []:
        return ""
    if isinstance(value, Mapping):
        return json.dumps(plain(value), ensure_ascii=False)
    if isinstance(value, list):
        if all(isinstance(item, File) for item in value):
            return ""
        if all(isinstance(item, str) for item in value):
            return json.dumps(value, ensure_ascii=False)
        return str(plain(value))
    return str(value)


def markdown_of(value: Any) -> str:
    """Return a value's text in answers and streamed outputs: links for files, bullet lists, JSON with indents."""
    if isinstance(value, File):
        return value.markdown
    if isinstance(value, Mapping):
        return json.dumps(plain(value), ensure_ascii=False, indent=2)
    if isinstance(value, list):
        if value and all(isinstance(item, File) for item in value):
            return "\n".join(item.markdown for item in value)
        return "\n".join(f"- {plain(item)}" for item in value)
    return text_of(value)


def plain(value: Any) -> Any:
    """Return the value as JSON values, with each file as the file object of the Web API."""
    if isinstance(value, File):
        return value.as_object()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
