"""File values as they are stored, and as answers show them: with links that work now."""

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from app.models.identifiers import is_id
from app.models.owners import Owner
from app.models.upload_files import list_owned_files
from app.services.files import file_links
from app.workflow.values.files import File


def stored(files: Sequence[File], belongs_to: str = "user") -> list[dict[str, Any]]:
    """What a message's row keeps."""
    return [file.as_object() | {"url": None, "belongs_to": belongs_to} for file in files]


def shown_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs with a fresh link in each of their file objects."""
    return {name: _shown(value) for name, value in inputs.items()}


def opened(owner: Owner, value: Any) -> Any:
    """Stored values as a run has them: file values with links that work now.

    An object that names the file of another owner, or of nobody, is no file: a model may have made it up.
    """
    named = set(_named_files(value))
    own = list_owned_files(owner, list(named)) if named else {}
    return _opened(value, own)


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


def _named_files(value: Any) -> Iterator[str]:
    """Yield the ids of the stored files that a value names."""
    if isinstance(value, list):
        for item in value:
            yield from _named_files(item)
    elif isinstance(value, dict):
        if File.is_object(value):
            related_id = value["related_id"]
            if related_id is not None and is_id(related_id):
                yield related_id
        else:
            for item in value.values():
                yield from _named_files(item)


def _opened(value: Any, own: Container[str]) -> Any:
    if isinstance(value, list):
        return [_opened(item, own) for item in value]
    if not isinstance(value, dict):
        return value
    if not File.is_object(value):
        return {name: _opened(item, own) for name, item in value.items()}
    if value["related_id"] is not None and value["related_id"] not in own:
        return value
    return File.from_object(value | {"url": link_to(value)})
