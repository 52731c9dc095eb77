"""Which files an app takes: its `file_upload` feature, or one field of its input form (contract endpoints.md, 'File mappings')."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

KINDS = ("image", "document", "audio", "video", "custom")
METHODS = ("local_file", "remote_url", "tool_file")
NUMBER_LIMIT = 3
DETAIL = "high"


@dataclass(frozen=True)
class FileRules:
    """None allows everything, an empty set nothing. `most`: how many. `detail`: how closely a model looks at images."""

    kinds: frozenset[str] | None = None
    extensions: frozenset[str] = frozenset()
    methods: frozenset[str] | None = None
    most: int | None = None
    detail: str = DETAIL

    @classmethod
    def of_feature(cls, feature: Mapping[str, Any]) -> Self | None:
        """From `file_upload`, in the new spelling or the old one (contract dsl.md §3.1); None where it is off."""
        given = feature.get("image")
        image: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
        is_new, is_old = feature.get("enabled") is True, image.get("enabled") is True
        if not (is_new or is_old):
            return None
        named = feature if is_new else {}
        methods = _names(named.get("allowed_file_upload_methods"))
        kinds = _names(named.get("allowed_file_types"))
        return cls(
            kinds=frozenset({"image"}) if kinds is None else kinds,
            extensions=_extensions(named.get("allowed_file_extensions")),
            methods=_names(image.get("transfer_methods")) if methods is None else methods,
            most=_count(named.get("number_limits")) or _count(image.get("number_limits")) or NUMBER_LIMIT,
            detail="low" if image.get("detail") == "low" else DETAIL,
        )

    @classmethod
    def of_field(cls, field: Mapping[str, Any]) -> Self:
        """From a field of an input form; what it does not say is no restriction."""
        return cls(
            kinds=_names(field.get("allowed_file_types")),
            extensions=_extensions(field.get("allowed_file_extensions")),
            methods=_names(field.get("allowed_file_upload_methods")),
        )

    def allow(self, kind: str, extension: str, method: str) -> bool:
        """`extension` in lower case, without its dot."""
        if self.methods is not None and method not in self.methods:
            return False
        if self.kinds is None or (kind in self.kinds and kind != "custom"):
            return True
        return "custom" in self.kinds and extension in self.extensions


def _names(value: Any) -> frozenset[str] | None:
    return frozenset(name for name in value if isinstance(name, str)) if isinstance(value, list) else None


def _extensions(value: Any) -> frozenset[str]:
    return frozenset(name.lower().lstrip(".") for name in _names(value) or ())


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
