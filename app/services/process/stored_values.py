"""Prepare values for JSONB columns: files become objects, what PostgreSQL refuses is removed, secrets are masked."""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from app.workflow.values.values import plain

MASK = "********"
SHORTEST_SECRET = 4


def dump(value: Any) -> str:
    """Return a value as JSON text that PostgreSQL accepts: without NUL and lone surrogates."""
    made = plain(value)
    try:
        text = orjson.dumps(made, option=orjson.OPT_NON_STR_KEYS, default=str).decode()
    except (TypeError, ValueError):
        # orjson refuses integers beyond 64 bits and lone surrogates.
        text = json.dumps(made, default=str).encode("utf-8", "replace").decode()
        text = _without_surrogates(text)
    return text if "\\u0000" not in text else orjson.dumps(_without_nul(orjson.loads(text))).decode()


def cleaned(value: Any) -> Any:
    """Return a JSON value without the characters that PostgreSQL refuses."""
    return orjson.loads(dump(value))


def masked(value: Any, secrets: Sequence[str]) -> Any:
    """Return the value with MASK in the place of secrets, in texts and in keys. Very short secrets stay readable."""
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


def _without_surrogates(text: str) -> str:
    # They are escapes in JSON text, so only the decoded texts can be cleaned.
    loaded = json.loads(text)

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return value.encode("utf-8", "replace").decode()
        if isinstance(value, list):
            return [clean(item) for item in value]
        return {clean(name): clean(item) for name, item in value.items()} if isinstance(value, dict) else value

    return json.dumps(clean(loaded), ensure_ascii=False)
