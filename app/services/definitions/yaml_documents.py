"""Read a YAML document as plain JSON values, with limits that a hostile file cannot get around."""

import math
from typing import Any

import yaml

LARGEST = 10 * 1024 * 1024
DEEPEST = 200
MOST_VALUES = 1_000_000

# libyaml's classes where this installation has them; they are some ten times as fast.
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class InvalidDocument(Exception):
    """The text cannot be used; one line says why."""


class _Loader(_Base):  # type: ignore[misc]  # the base is found at run time
    """Reads dates and `=` as texts, as JSON has neither; merges nothing, as merged mappings can grow without end."""

    yaml_implicit_resolvers = {
        first: [entry for entry in entries if entry[0].rpartition(":")[2] not in ("timestamp", "merge", "value")]
        for first, entries in _Base.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: Any) -> None:
        """Do nothing, so that a `!!merge` tag fails as an unknown tag does."""


def read(content: bytes) -> Any:
    """Return the document's value. Raises InvalidDocument."""
    if len(content) > LARGEST:
        raise InvalidDocument(f"the file is larger than {LARGEST // 1024 // 1024} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidDocument("the file is not UTF-8 text") from None
    try:
        _check_depth(text)
        value = yaml.load(text, Loader=_Loader)
    # Beside YAML's own errors: a number of thousands of digits, a tag whose content does not fit it.
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise InvalidDocument(_one_line(error)) from None
    return _Plain().copy(value, 0)


def write(value: Any) -> str:
    """Return the value as YAML with sorted keys, as other exports of app files have them."""
    return str(yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=True))


def _check_depth(text: str) -> None:
    """Refuse a deep document before it is composed: libyaml calls itself for each level and could crash the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise InvalidDocument(f"the file is nested deeper than {DEEPEST} levels")


class _Plain:
    """Copies a loaded value, aliases written out. Raises InvalidDocument for what JSON or PostgreSQL cannot hold."""

    def __init__(self) -> None:
        self._values = 0

    def copy(self, value: Any, depth: int) -> Any:
        self._values += 1
        if self._values > MOST_VALUES or depth > DEEPEST:
            raise InvalidDocument("the file is too large with its aliases (*name) written out")
        if isinstance(value, dict):
            return {self._key(key): self.copy(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self.copy(item, depth + 1) for item in value]
        if isinstance(value, str):
            return _storable(value)
        if value is None or isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        raise InvalidDocument(f"{_shown(value)} is not a value that an app file can hold")

    def _key(self, key: Any) -> str:
        if key == "<<":
            raise InvalidDocument("merge keys (<<) are not supported: write the values out")
        if isinstance(key, str):
            return _storable(key)
        # As JSON writes such keys.
        if key is None or isinstance(key, bool):
            return {None: "null", True: "true", False: "false"}[key]
        if isinstance(key, int | float):
            return str(key)
        raise InvalidDocument(f"{_shown(key)} is not a key that an app file can hold")


def _storable(text: str) -> str:
    if "\0" in text:
        raise InvalidDocument(f"a text holds a NUL character: {_shown(text)}")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidDocument(
                f"a text is not valid Unicode, as it holds half of a surrogate pair: {_shown(text)}"
            ) from None
    return text


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem or error.context}"
    return " ".join(str(error).split())
