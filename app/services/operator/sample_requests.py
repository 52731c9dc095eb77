"""Write a command line that asks an app, for an operator to paste."""

import json
import shlex
from typing import Any
from urllib.parse import urlsplit

from app.providers.http.outgoing import is_this_machine
from app.services.definitions.app_file import AppDefinition
from app.services.definitions.input_fields import InputField

_PATHS = {"workflow": "workflows/run", "completion": "completion-messages"}
# Gets the token out of `{"access_token": "…"}`.
_TOKEN = """sed 's/.*:"\\(.*\\)".*/\\1/'"""


def sample_request(base_url: str, code: str, definition: AppDefinition, query: str = "Hello") -> str:
    """Return a `curl` line that gets a passport and streams an answer, with a value for each field that must have one.

    `base_url`: this server's, without a slash at its end. No proxy is asked for an address of this machine.
    """
    mode = definition.app.mode
    path = _PATHS.get(mode, "chat-messages")
    body: dict[str, Any] = {
        "inputs": {
            field.variable: _example(field)
            for field in definition.input_form(mode)
            if field.variable and field.required and field.default_value in (None, "")
        }
    }
    if path == "chat-messages":
        body["query"] = query
    body["response_mode"] = "streaming"
    direct = "--noproxy '*' " if is_this_machine(urlsplit(base_url).hostname or "") else ""
    url, header = shlex.quote(f"{base_url}/api/{path}"), shlex.quote(f"X-App-Code: {code}")
    passport = f"$(curl -s {direct}{shlex.quote(f'{base_url}/api/passport')} -H {header} | {_TOKEN})"
    data = shlex.quote(json.dumps(body, ensure_ascii=False))
    return f"curl -sN {direct}{url} -H \"X-App-Passport: {passport}\" -H 'Content-Type: application/json' -d {data}"


def _example(field: InputField) -> Any:
    if field.type == "number":
        return 1
    if field.type == "checkbox":
        return True
    if field.type == "select":
        return next(iter(field.options), "")
    if field.type == "json_object":
        return {}
    if field.type in ("file", "file-list"):
        kinds = [kind for kind in field.allowed_file_types or () if kind != "custom"]
        file = {
            "type": next(iter(kinds), "document"),
            "transfer_method": "remote_url",
            "url": "https://example.com/FILE",
        }
        return file if field.type == "file" else [file]
    return "Hello"[: field.max_length or None]
