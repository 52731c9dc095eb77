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
from flask import current_app

from app.errors import RunFailed
from app.providers.http.outgoing import Outgoing, UnusableProxy
from app.providers.operator_files import Strict, read_operator_file, variable_name
from app.services.process.process_parts import process_parts

log = structlog.get_logger(__name__)

CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
LARGEST_ANSWER = 1_000_000


class Extension(Strict):
    """One endpoint. `api_key` may be $NAME, a variable of the environment."""

    endpoint: str
    api_key: str = ""


class ExtensionsFile(Strict):
    """Extensions by id, and the one for every other id."""

    extensions: dict[str, Extension] = {}
    default: Extension | None = None


def ask(extension_id: str, point: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Call an extension at one of its points. Raises RunFailed where it is unknown or does not answer as it should."""
    table = _table()
    extension = table.extensions.get(extension_id) or table.default
    if extension is None:
        raise RunFailed("Run failed: the app uses an API extension that is not set up on this server.")
    headers = {"Authorization": f"Bearer {_key(extension)}"}
    outgoing: Outgoing = current_app.config["OUTGOING"]
    try:
        proxy = outgoing.proxy_url(extension.endpoint)
        answer = requests.post(
            extension.endpoint,
            json={"point": point, "params": params},
            headers=headers,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            # Both named, so that `requests` does not ask the environment: it would ask a proxy for this machine too.
            proxies={"http": proxy, "https": proxy},
            verify=next(iter(outgoing.ca_files), True),
        )
        answer.raise_for_status()
        body = answer.json() if len(answer.content) <= LARGEST_ANSWER else None
    except (requests.RequestException, UnusableProxy, ValueError) as failure:
        log.warning("extension.failed", point=point, error=type(failure).__name__)
        raise RunFailed("Run failed: an API extension of the app could not be reached or reported an error.") from None
    if not isinstance(body, dict):
        raise RunFailed("Run failed: an API extension of the app did not return a JSON object.")
    return body


def _key(extension: Extension) -> str:
    name = variable_name(extension.api_key)
    known: Mapping[str, str] = current_app.config["ENVIRONMENT"]
    return extension.api_key if name is None else known.get(name, "")


def _table() -> ExtensionsFile:
    """Return the file's content, read once per process."""
    return process_parts().get(ExtensionsFile, lambda: read_file(current_app.config["API_EXTENSIONS_FILE"]))


def read_file(name: str) -> ExtensionsFile:
    """Read the file of this name; no name means no extensions. Raises InvalidOperatorFile."""
    return read_operator_file(pathlib.Path(name), ExtensionsFile) if name else ExtensionsFile()
