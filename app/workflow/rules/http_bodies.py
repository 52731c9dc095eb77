"""Encodes the bodies of HTTP nodes: from the configuration to bytes and a content type (contract dsl.md §3.7)."""

import urllib.parse
from typing import Any

import urllib3

from app.providers.models.text_pieces import whole_text
from app.workflow.contracts.node import ConfigPart, NodeContext
from app.workflow.failures import NodeFailed
from app.workflow.rules.json_templates import fill_json
from app.workflow.values.files import File
from app.workflow.values.templates import bare, parse

LARGEST_FILE = 10 * 1024 * 1024
FILE_SECONDS = 60.0


class BodyItem(ConfigPart):
    """One entry of a body. `type`: `text` (its `value`) or `file` (the selector `file`)."""

    key: str = ""
    type: str = "text"
    value: str = ""
    file: tuple[str, ...] = ()


class RequestBody(ConfigPart):
    """A body's configuration. In older files `data` is a text: the body itself, or lines of `key:value`."""

    type: str = "none"
    data: list[BodyItem] | str = []

    def encoded(self, context: NodeContext) -> tuple[bytes | None, str | None]:
        """Return the bytes and their content type, None and None without a body. Raises NodeFailed, Cancelled."""
        encode = _ENCODERS.get(self.type)
        return (None, None) if encode is None else encode(context, self)

    @property
    def text(self) -> str:
        """The template of a body that is a single text."""
        return self.data if isinstance(self.data, str) else "".join(item.value for item in self.data[:1])

    @property
    def items(self) -> list[BodyItem]:
        """The entries of a form's body."""
        if isinstance(self.data, str):
            return [BodyItem(key=key, value=value) for key, value in pairs(self.data)]
        return self.data


def pairs(text: str) -> list[tuple[str, str]]:
    """Return the pairs of `key:value` lines. The value is all behind the first colon, "" in a line without one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return [(key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)]


def fill(context: NodeContext, text: str) -> str:
    """Return a text of the node with its references filled in, and U+FFFD for each half of a character."""
    return whole_text(parse(text).render(context.variables, missing=bare))


def files_of(value: Any) -> list[File]:
    """Return the files of a variable that holds a file or a list of files."""
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, File)]


def _raw(context: NodeContext, body: RequestBody) -> tuple[bytes, str]:
    return fill(context, body.text).encode(), "text/plain"


def _json(context: NodeContext, body: RequestBody) -> tuple[bytes, str]:
    return whole_text(fill_json(body.text, context.variables, context.authored)).encode(), "application/json"


def _form(context: NodeContext, body: RequestBody) -> tuple[bytes, str]:
    fields = [(fill(context, item.key), fill(context, item.value)) for item in body.items]
    return urllib.parse.urlencode(fields).encode(), "application/x-www-form-urlencoded"


def _multipart(context: NodeContext, body: RequestBody) -> tuple[bytes, str]:
    fields: list[tuple[str, Any]] = []
    for item in body.items:
        key = fill(context, item.key)
        if item.type != "file":
            fields.append((key, fill(context, item.value)))
            continue
        files = files_of(context.variables.require(item.file))
        fields.extend((key, (file.name, _read(context, file), file.mime_type)) for file in files)
    return urllib3.encode_multipart_formdata(fields)


def _binary(context: NodeContext, body: RequestBody) -> tuple[bytes, str]:
    chosen = [file for item in body.items for file in files_of(context.variables.require(item.file))]
    if not chosen:
        raise NodeFailed("The file of the request's body is missing.", "FileFetchError")
    return _read(context, chosen[0]), chosen[0].mime_type


def _read(context: NodeContext, file: File) -> bytes:
    if context.services.files is None:
        raise NodeFailed("Files are not available in this run.", "FileFetchError")
    return context.services.files.read(file, LARGEST_FILE, context.seconds_left(FILE_SECONDS), context.cancellation)


_ENCODERS = {
    "raw-text": _raw,
    "json": _json,
    "x-www-form-urlencoded": _form,
    "form-data": _multipart,
    "binary": _binary,
}
