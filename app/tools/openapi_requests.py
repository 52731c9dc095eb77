"""Builds the request of an operation from a model's arguments: path, query, headers, body."""

import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from app.tools.openapi_description import FORMS, Operation, OperationParameter
from app.tools.tool_types import ToolFailed

_SEPARATORS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass
class PreparedRequest:
    """A request without its server's address. `path`: percent-encoded; `data` and `files` as `requests` takes them."""

    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes | list[tuple[str, str]] | None = None
    files: list[tuple[str, tuple[str | None, bytes, str]]] | None = None


def prepare_request(
    operation: Operation, parameters: Sequence[OperationParameter], arguments: Mapping[str, Any]
) -> PreparedRequest:
    """Build the request of an operation. Raises ToolFailed for a value that its place does not allow."""
    given = [
        (parameter, arguments[parameter.argument])
        for parameter in parameters
        if arguments.get(parameter.argument) is not None
    ]
    request = PreparedRequest(
        _path(operation.path, {parameter.name: value for parameter, value in given if parameter.place == "path"})
    )
    cookies = []
    for parameter, value in given:
        if parameter.place == "query":
            request.query += _pairs(parameter, value)
        elif parameter.place == "header":
            request.headers[parameter.name] = _header(parameter, _joined(value, ","))
        elif parameter.place == "cookie":
            cookies.append(f"{parameter.name}={urllib.parse.quote(_joined(value, ','), safe='')}")
    if cookies:
        request.headers["Cookie"] = "; ".join(cookies)
    _add_body(
        request,
        operation.body_type,
        [(parameter.name, value) for parameter, value in given if parameter.place == "body"],
    )
    return request


def _path(template: str, values: Mapping[str, Any]) -> str:
    path = template
    for name, value in values.items():
        text = _joined(value, ",")
        if text in ("", ".", ".."):
            # Servers and proxies resolve such steps, and the request would reach another operation.
            raise ToolFailed(f"Bad argument {name!r}: {text!r} is not allowed in a path.")
        path = path.replace(f"{{{name}}}", urllib.parse.quote(text, safe=""))
    return path if path.startswith("/") else f"/{path}"


def _pairs(parameter: OperationParameter, value: Any) -> Iterator[tuple[str, str]]:
    name = parameter.name
    if isinstance(value, dict):
        if parameter.style == "deepObject":
            yield from ((f"{name}[{key}]", _one(part)) for key, part in value.items())
        elif parameter.explode:
            yield from ((key, _one(part)) for key, part in value.items())
        else:
            yield name, ",".join(f"{key},{_one(part)}" for key, part in value.items())
    elif isinstance(value, list) and parameter.explode:
        yield from ((name, _one(part)) for part in value)
    else:
        yield name, _joined(value, _SEPARATORS.get(parameter.style, ","))


def _header(parameter: OperationParameter, text: str) -> str:
    if any(sign in text for sign in "\r\n\0"):
        # A line break would begin a header of the model's choice.
        raise ToolFailed(f"Bad argument {parameter.argument!r}: a header must be a single line.")
    # HTTP libraries encode headers as Latin-1; this way the service receives UTF-8.
    return text.encode().decode("latin-1")


def _add_body(request: PreparedRequest, kind: str, members: Sequence[tuple[str, Any]]) -> None:
    if not kind or not members:
        return
    whole = members[0][1] if members[0][0] == "" else dict(members)
    if kind == FORMS[0]:
        request.data = [
            (name, _one(part))
            for name, value in _object(whole).items()
            for part in (value if isinstance(value, list) else [value])
        ]
    elif kind == FORMS[1]:
        request.files = [(name, (None, _one(value).encode(), "text/plain")) for name, value in _object(whole).items()]
    else:
        request.headers["Content-Type"] = "application/json" if kind == "*/*" else kind
        request.data = whole.encode() if isinstance(whole, str) and "json" not in kind else orjson.dumps(whole)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {"body": value}


def _joined(value: Any, separator: str) -> str:
    if isinstance(value, list):
        return separator.join(map(_one, value))
    if isinstance(value, dict):
        return separator.join(f"{key}{separator}{_one(part)}" for key, part in value.items())
    return _one(value)


def _one(value: Any) -> str:
    """Return the text of a single value: `true` and `false`, "" for null, JSON for objects."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
