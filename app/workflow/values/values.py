"""The values of variables: plain JSON values and files. Their text forms (contract dsl.md §3.3)."""

import json
from collections.abc import Mapping
from typing import Any

from app.workflow.values.files import File


def text_of(value: Any) -> str:
    """The form of prompts, HTTP texts and values of conditions."""
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
    """The form of answers and streamed outputs."""
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
    """A value with its files as the objects that callers see."""
    if isinstance(value, File):
        return value.as_object()
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def restored(value: Any) -> Any:
    """The opposite of `plain`."""
    if isinstance(value, Mapping):
        return (
            File.from_object(value) if File.is_object(value) else {name: restored(item) for name, item in value.items()}
        )
    return [restored(item) for item in value] if isinstance(value, list) else value
