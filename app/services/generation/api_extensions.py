"""API extensions: an operator's HTTP endpoints behind moderation and external data of type `api`.

An app file names an extension by its id alone; `API_EXTENSIONS_FILE` says where it is:

    extensions:
      3f0c…: {endpoint: https://…, api_key: $NAME}
    default: {endpoint: https://…, api_key: $NAME}
"""

import pathlib
from collections.abc import Mapping
from typing import Any

import requests
import structlog
import yaml
from flask import current_app
from pydantic import BaseModel, ConfigDict, ValidationError

from app.errors import RunFailed
from app.services.process.process_parts import process_parts

log = structlog.get_logger(__name__)

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
LARGEST_ANSWER = 1_000_000


class InvalidExtensionsFile(Exception):
    """The file cannot be read; the text names it and says what is wrong."""


class Extension(BaseModel):
    """One endpoint. `api_key` may be $NAME, a variable of the environment."""

    model_config = ConfigDict(extra="forbid")

    endpoint: str
    api_key: str = ""


class ExtensionsFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    extensions: dict[str, Extension] = {}
    default: Extension | None = None


def ask(extension_id: str, point: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Call an extension at one of its points. Raises RunFailed where it is unknown or does not answer as it should."""
    table = _table()
    extension = table.extensions.get(extension_id) or table.default
    if extension is None:
        raise RunFailed("Run failed: the app needs an API extension that this server does not know.")
    headers = {"Authorization": f"Bearer {_key(extension)}"}
    try:
        answer = requests.post(
            extension.endpoint,
            json={"point": point, "params": params},
            headers=headers,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        answer.raise_for_status()
        body = answer.json() if len(answer.content) <= LARGEST_ANSWER else None
    except (requests.RequestException, ValueError) as failure:
        log.warning("extension.failed", point=point, error=type(failure).__name__)
        raise RunFailed("Run failed: an API extension of the app does not answer.") from None
    if not isinstance(body, dict):
        raise RunFailed("Run failed: an API extension of the app answers what cannot be read.")
    return body


def _key(extension: Extension) -> str:
    key = extension.api_key
    known: Mapping[str, str] = current_app.config["ENVIRONMENT"]
    return known.get(key[1:], "") if key.startswith("$") else key


def _table() -> ExtensionsFile:
    """Return the file's content, read once per process."""
    return process_parts().get(ExtensionsFile, lambda: read_file(current_app.config["API_EXTENSIONS_FILE"]))


def read_file(name: str) -> ExtensionsFile:
    """Raises InvalidExtensionsFile."""
    if not name:
        return ExtensionsFile()
    try:
        return ExtensionsFile.model_validate(yaml.safe_load(pathlib.Path(name).read_text()) or {})
    except (OSError, yaml.YAMLError, ValidationError) as problem:
        raise InvalidExtensionsFile(f"API_EXTENSIONS_FILE {name}: {str(problem).splitlines()[0]}") from None
