"""Files as values of variables: their attributes and addresses. Contents are read through `FileAccess`."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

# What tells file objects from other objects.
_MARK, _FILE = "dify_model_identity", "__dify__file__"
_SHAPE: Mapping[str, Any] = {
    "id": str,
    "type": str,
    "transfer_method": str,
    "filename": str,
    "extension": str,
    "mime_type": str,
    "size": int,
    "related_id": str | None,
    "remote_url": str | None,
    "url": str | None,
}


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """One file in a variable. `type`: image, document, audio, video or custom; `extension` with its dot.

    `size` in bytes, -1 if unknown. `related_id`: the id of the stored file, None for a remote file that was not stored
    (`transfer_method` `remote_url`). `url` is for the end user; a signed one expires after some minutes.
    """

    ATTRIBUTES: ClassVar = ("type", "size", "name", "mime_type", "transfer_method", "url", "extension", "related_id")

    id: str
    type: str
    transfer_method: str
    name: str
    extension: str = ""
    mime_type: str = "application/octet-stream"
    size: int = -1
    related_id: str | None = None
    remote_url: str | None = None
    url: str | None = None

    def attribute(self, key: str) -> Any:
        """Return one of `ATTRIBUTES`, as selectors and conditions name it."""
        return getattr(self, key)

    @property
    def markdown(self) -> str:
        """The file as Markdown: an image, or a link to any other file."""
        link = f"[{self.name}]({self.url or ''})"
        return f"!{link}" if self.type == "image" else link

    def as_object(self) -> dict[str, Any]:
        """Return the file object of the Web API (contract endpoints.md, 'File object')."""
        return {
            _MARK: _FILE,
            "id": self.id,
            "type": self.type,
            "transfer_method": self.transfer_method,
            "remote_url": self.remote_url,
            "reference": None,
            "related_id": self.related_id,
            "filename": self.name,
            "extension": self.extension,
            "mime_type": self.mime_type,
            "size": self.size,
            "url": self.url,
        }

    @staticmethod
    def is_object(value: Mapping[str, Any]) -> bool:
        """Return whether a mapping has the shape of a file object that `as_object` made."""
        return value.get(_MARK) == _FILE and all(isinstance(value.get(key), kind) for key, kind in _SHAPE.items())

    @classmethod
    def from_object(cls, value: Mapping[str, Any]) -> Self:
        """Return the file of a file object that `as_object` made."""
        return cls(
            value["id"],
            value["type"],
            value["transfer_method"],
            value["filename"],
            value["extension"],
            value["mime_type"],
            value["size"],
            value["related_id"],
            value["remote_url"],
            value["url"],
        )


def unmarked(value: Any) -> Any:
    """Return a JSON value from outside in which no object claims to be a file object: it may name anybody's file."""
    if isinstance(value, list):
        return [unmarked(item) for item in value]
    if isinstance(value, Mapping):
        return {name: unmarked(item) for name, item in value.items() if name != _MARK or item != _FILE}
    return value
