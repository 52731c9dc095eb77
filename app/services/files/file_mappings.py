"""From the files that a visitor names to file values (contract endpoints.md, 'File mappings')."""

import urllib.parse
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import InvalidParam
from app.models.identifiers import new_id
from app.models.owners import Owner
from app.models.upload_files import OwnedFile, list_owned_files
from app.providers.fetch.guarded_http import check_url
from app.providers.fetch.request_gate import FetchRefused
from app.services.definitions.file_rules import KINDS, METHODS, FileRules
from app.services.files import file_kinds
from app.workflow.values.files import File


class FileResolver:
    """The files that one visitor may name."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def choose(self, mappings: Sequence[Mapping[str, Any]], rules: FileRules) -> list[File]:
        """A file value for each mapping, or for each file object of an earlier answer. Raises InvalidParam."""
        if rules.most is not None and len(mappings) > rules.most:
            raise InvalidParam(f"Number of files exceeds the maximum limit {rules.most}")
        methods = [_method(mapping) for mapping in mappings]
        ids = [_upload_id(mapping, method) for mapping, method in zip(mappings, methods, strict=True)]
        named = [file_id for file_id in ids if file_id is not None]
        known = list_owned_files(self._owner, named) if named else {}
        files = []
        for mapping, method, file_id in zip(mappings, methods, ids, strict=True):
            if file_id is not None and file_id not in known:
                raise InvalidParam("Invalid upload file")
            file = _remote(mapping) if file_id is None else _stored(mapping, method, known[file_id])
            if not rules.allow(file.type, file.extension.lstrip("."), method):
                raise InvalidParam(f"File validation failed for file: {file.name}")
            files.append(file)
        return files


def _method(mapping: Mapping[str, Any]) -> str:
    method = mapping.get("transfer_method")
    if not method:
        raise InvalidParam("transfer_method is required in file mapping")
    if method not in METHODS:
        raise InvalidParam("transfer_method must be one of local_file, remote_url, tool_file")
    if mapping.get("type") not in KINDS:
        raise InvalidParam("type of a file must be one of image, document, audio, video, custom")
    return str(method)


def _upload_id(mapping: Mapping[str, Any], method: str) -> str | None:
    """The stored file that is meant; None for one that is on another server alone."""
    given = mapping.get("upload_file_id") or mapping.get("tool_file_id") or mapping.get("related_id")
    if method == "remote_url" and not given:
        return None
    try:
        return str(uuid.UUID(given))
    except (ValueError, TypeError, AttributeError):
        raise InvalidParam("Invalid upload file id format") from None


def _stored(mapping: Mapping[str, Any], method: str, row: OwnedFile) -> File:
    return File(
        id=str(new_id()),
        type=_kind(mapping, row.extension),
        transfer_method=method,
        name=row.name,
        extension=f".{row.extension}" if row.extension else "",
        mime_type=row.mime_type,
        size=row.size,
        related_id=row.id,
    )


def _remote(mapping: Mapping[str, Any]) -> File:
    """Nobody asks the other server now: what its file is shows when it is read."""
    url = mapping.get("url") or mapping.get("remote_url")
    if not isinstance(url, str):
        raise InvalidParam("Invalid file url")
    try:
        check_url(url)
    except FetchRefused:
        raise InvalidParam("Invalid file url") from None
    last = urllib.parse.unquote(urllib.parse.urlsplit(url).path).replace("\\", "/").rpartition("/")[2].replace("\0", "")
    extension = file_kinds.extension_of(last)
    return File(
        id=str(new_id()),
        type=_kind(mapping, extension),
        transfer_method="remote_url",
        name=last[: file_kinds.LONGEST_NAME] or "file",
        extension=f".{extension}" if extension else "",
        mime_type=file_kinds.mime_type_of(last) or file_kinds.OCTETS,
        remote_url=url,
    )


def _kind(mapping: Mapping[str, Any], extension: str) -> str:
    """What the visitor says it is, unless its extension says otherwise. Raises InvalidParam."""
    said = str(mapping["type"])
    found = file_kinds.kinds_of(extension)
    if said != "custom" and found and said not in found:
        raise InvalidParam("Detected file type does not match the specified type. Please verify the file.")
    return said
