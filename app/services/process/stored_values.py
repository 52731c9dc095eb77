"""Values on their way into JSONB columns: files as objects, nothing that PostgreSQL refuses, no secrets."""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from app.workflow.values.values import plain

MASK = "********"
SHORTEST_SECRET = 4


def dump(value: Any) -> str:
    """A value as JSON text that PostgreSQL takes."""
    made = plain(value)
    try:
        text = orjson.dumps(made, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    except (TypeError, ValueError):
        # Whole numbers beyond 64 bits, half characters.
        text = json.dumps(made, default=str).encode("utf-8", "replace").decode()
        text = _without_half_characters(text)
    return text if "\\u0000" not in text else orjson.dumps(_without_nul(orjson.loads(text))).decode()


def cleaned(value: Any) -> Any:
    """A JSON value without what PostgreSQL refuses."""
    return orjson.loads(dump(value))


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """The value with secrets covered, in texts and in keys."""
    if isinstance(value, str):
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                value = value.replace(secret, MASK)
        return value
    if isinstance(value, list | tuple):
        return [masked(item, secrets) for item in value]
    if isinstance(value, dict):
        return {masked(name, secrets): masked(item, secrets) for name, item in value.items()}
    return value


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    if isinstance(value, dict):
        return {name.replace("\0", ""): _without_nul(item) for name, item in value.items()}
    return value


def _without_half_characters(text: str) -> str:
    loaded = json.loads(text)

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, list):
            return [clean(item) for item in value]
        return {clean(name): clean(item) for name, item in value.items()} if isinstance(value, dict) else value

    return json.dumps(clean(loaded), ensure_ascii=False)
