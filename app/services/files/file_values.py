"""File values as they are stored, and as answers show them: with links that work now."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.services.files import file_links
from app.workflow.values.files import File
from app.workflow.values.values import restored


def stored(files: Sequence[File], belongs_to: str = "user") -> list[dict[str, Any]]:
    """What a message's row keeps."""
    return [file.as_object() | {"url": None, "belongs_to": belongs_to} for file in files]


def shown_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with a fresh link in each of their file objects."""
    return {name: _shown(value) for name, value in inputs.items()}


def opened(value: Any) -> Any:
    """Stored inputs or files as a run has them: file values with links that work now."""
    shown = shown_inputs(value) if isinstance(value, dict) else _shown(value)
    return restored(shown)


def shown_files(files: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Stored file objects with links that work now."""
    return [_shown(dict(file)) for file in files]


def link_to(value: Mapping[str, Any]) -> str | None:
    """A link that opens a file object's file now."""
    related_id = value.get("related_id")
    if isinstance(related_id, str) and related_id:
        return file_links.link(related_id)
    remote_url = value.get("remote_url")
    return remote_url if isinstance(remote_url, str) else None


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(item) for item in value]
    if isinstance(value, dict):
        if File.is_object(value):
            return value | {"url": link_to(value), "upload_file_id": value.get("related_id")}
        return shown_inputs(value)
    return value
