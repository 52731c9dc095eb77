"""A file as nodes see it: what it is and where it is, never its content."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self

_IDENTITY = {"dify_model_identity": "__dify__file__"}


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """`type`: image, document, audio, video or custom. `extension` has its dot. `size` in bytes, -1 unknown.

    `related_id` names the stored file; one of `transfer_method` `remote_url` may have none, but `remote_url`.
    `url` can be opened by the visitor; it may be signed, and then ends to work after some minutes.
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
        return getattr(self, key)

    @property
    def markdown(self) -> str:
        link = f"[{self.name}]({self.url or ''})"
        return f"!{link}" if self.type == "image" else link

    def as_object(self) -> dict[str, Any]:
        """The file object of the Web API (contract endpoints.md, 'File object')."""
        return {
            **_IDENTITY,
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
        return value.get("dify_model_identity") == "__dify__file__"

    @classmethod
    def from_object(cls, value: Mapping[str, Any]) -> Self:
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
