"""Which files an app takes: by its `file_upload` feature, or by a field of a form.

Contract endpoints.md, 'File mappings'.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pydantic

from app.services.definitions.file_parts import UNCHECKED, FilePart, ListOf, UncheckedPart

KINDS = ("image", "document", "audio", "video", "custom")
METHODS = ("local_file", "remote_url", "tool_file")
NUMBER_LIMIT = 3

_Count = Annotated[int, pydantic.Field(gt=0)]


@dataclass(frozen=True)
class FileRules:
    """Which files are allowed. None allows everything, an empty set nothing.

    `extensions`: those of the kind `custom`, in lower case and without their dots. `most`: how many files.
    `detail`: how closely a model looks at images.
    """

    kinds: frozenset[str] | None = None
    extensions: frozenset[str] = frozenset()
    methods: frozenset[str] | None = None
    most: int | None = None
    detail: str = "high"

    def allow(self, kind: str, extension: str, method: str) -> bool:
        """Return whether a file may be used. `extension` in lower case, without its dot."""
        if self.methods is not None and method not in self.methods:
            return False
        if self.kinds is None or (kind in self.kinds and kind != "custom"):
            return True
        return "custom" in self.kinds and extension in self.extensions


class FileLimits(FilePart):
    """The keys that restrict files. What is absent is no restriction."""

    allowed_file_types: Annotated[ListOf[str] | None, UNCHECKED] = None
    allowed_file_extensions: Annotated[ListOf[str], UNCHECKED] = ()
    allowed_file_upload_methods: Annotated[ListOf[str] | None, UNCHECKED] = None

    @property
    def field_rules(self) -> FileRules:
        """The rules of a field of a form."""
        return FileRules(
            kinds=_set(self.allowed_file_types),
            extensions=_extensions(self.allowed_file_extensions),
            methods=_set(self.allowed_file_upload_methods),
        )


class ImageUpload(UncheckedPart):
    """`file_upload.image`: the feature's old spelling, and how images are looked at in both."""

    enabled: bool = False
    number_limits: _Count | None = None
    detail: Literal["low", "high"] = "high"
    transfer_methods: ListOf[str] | None = None


class FileUpload(FileLimits):
    """The `file_upload` feature in its new spelling or its old one (contract dsl.md §3.1)."""

    checked: ClassVar[bool] = False

    enabled: bool = False
    number_limits: _Count | None = None
    image: ImageUpload = ImageUpload.read({})

    @property
    def rules(self) -> FileRules | None:
        """The rules for the files of messages and runs; None where they carry none."""
        image = self.image
        if not (self.enabled or image.enabled):
            return None
        # Without the new spelling's own switch the rest of it does not count.
        named = self if self.enabled else FileUpload.read({})
        kinds, methods = named.allowed_file_types, named.allowed_file_upload_methods
        return FileRules(
            kinds=frozenset({"image"}) if kinds is None else frozenset(kinds),
            extensions=_extensions(named.allowed_file_extensions),
            methods=_set(image.transfer_methods if methods is None else methods),
            most=named.number_limits or image.number_limits or NUMBER_LIMIT,
            detail=image.detail,
        )


def _set(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


def _extensions(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.lower().lstrip(".") for name in names)
