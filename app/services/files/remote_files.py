"""Files on other servers, as visitors name them."""

import re
import secrets
import urllib.parse
from dataclasses import dataclass

from app.errors import FileNameMissing, FileTooLarge, InternalServerError, InvalidParam, NotFound, RemoteFileUploadError
from app.models.owners import Owner
from app.providers.fetch.guarded_http import GuardedResponse, Limits, check_url
from app.providers.fetch.request_gate import FetchFailed, FetchRefused, FetchTooLarge
from app.providers.fetch.response_names import announced_name
from app.services.files import file_kinds, uploads
from app.services.files.uploads import StoredUpload
from app.services.process.providers import guarded_http

WAIT_SECONDS = 3.0
TOTAL_SECONDS = 60.0
_SCHEME = re.compile(r"(https?):/*", re.IGNORECASE)


@dataclass(frozen=True)
class RemoteFileFacts:
    """What another server says of a file. `size` -1: it does not say."""

    mime_type: str
    size: int


def describe(url: str, query: str = "") -> RemoteFileFacts:
    """Ask for a file's type and length; `query` belongs to the URL.

    Raises InvalidParam for what is no URL, NotFound, RemoteFileUploadError where the server does not answer,
    InternalServerError where it answers with another error.
    """
    # Some proxies make one slash of two.
    whole = _SCHEME.sub(r"\1://", url.replace(" ", "%20"), count=1) + (f"?{query}" if query else "")
    limits = Limits(WAIT_SECONDS, WAIT_SECONDS, WAIT_SECONDS * 2)
    for method in ("HEAD", "GET"):
        with _ask(method, whole, limits) as answer:
            if answer.status == 200:
                size = answer.announced_size()
                return RemoteFileFacts(_declared_type(answer), -1 if size is None else size)
            if method == "GET" and answer.status == 404:
                raise NotFound("The remote file was not found.")
    raise InternalServerError("The remote server does not give the file.")


def fetch(owner: Owner, url: str) -> StoredUpload:
    """Keep a copy of a file, for this owner.

    Raises InvalidParam for a text that is not a URL, RemoteFileUploadError, FileTooLarge, FileExtensionBlocked,
    UnsupportedFileType,
    ServiceUnavailable.
    """
    limits = Limits(WAIT_SECONDS, WAIT_SECONDS, TOTAL_SECONDS, uploads.largest_limit())
    with _ask("GET", url, limits) as answer:
        if answer.status != 200:
            raise _failed(url)
        name = _name(answer)
        if (answer.announced_size() or 0) > uploads.size_limit(file_kinds.extension_of(name)):
            raise FileTooLarge
        try:
            return uploads.store(owner, name, file_kinds.mime_type_of(name) or _declared_type(answer), answer.pieces())
        except FetchTooLarge:
            raise FileTooLarge from None
        except FetchFailed:
            raise _failed(url) from None


def _ask(method: str, url: str, limits: Limits) -> GuardedResponse:
    try:
        check_url(url)
    except FetchRefused as refused:
        raise InvalidParam(str(refused)) from None
    try:
        return guarded_http().request(method, url, limits=limits)
    except FetchFailed:
        raise _failed(url) from None


def _failed(url: str) -> RemoteFileUploadError:
    return RemoteFileUploadError(f"Failed to fetch file from {url}")


def _declared_type(answer: GuardedResponse) -> str:
    return file_kinds.clean_mime_type(answer.headers.get("Content-Type"))


def _name(answer: GuardedResponse) -> str:
    """From `Content-Disposition`, else from the URL, else made up."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(answer.url).path)
    for candidate in (announced_name(answer.headers.get("Content-Disposition", "")), path):
        try:
            return file_kinds.clean_name(candidate.replace("\\", "/").rpartition("/")[2])
        except FileNameMissing:
            continue
    return secrets.token_hex(16) + file_kinds.suffix_for(_declared_type(answer))
