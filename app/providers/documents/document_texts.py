"""Extract the text of documents.

Text files are decoded here. All other formats need a parser of native code, which a hostile file may crash or keep busy
without end: it runs in a process of its own for each document, with limits of memory and time, without our environment.
Few run at once; the time of waiting for a place among them is not the parser's.
"""

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.providers.cancellation import Cancellation
from app.providers.documents import parser_library, parser_places, parser_runs
from app.providers.documents.text_encoding import read_text
from app.providers.work_owner import FRONTDESK, WorkOwner

# Text files, by their extensions.
TEXT_EXTENSIONS = frozenset(
    {
        "txt",
        "text",
        "md",
        "markdown",
        "mdx",
        "json",
        "jsonl",
        "yaml",
        "yml",
        "xml",
        "log",
        "ini",
        "toml",
        "properties",
        "vtt",
        "srt",
        "py",
        "js",
        "ts",
        "css",
        "sql",
        "sh",
        "java",
        "c",
        "h",
        "cpp",
        "go",
        "rs",
        "rb",
        "php",
        "tex",
        "rst",
    }
)
# Formats of the parser, which tells them by the MIME type.
PARSED_MIME_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "doc": "application/msword",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xls": "application/vnd.ms-excel",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "ppt": "application/vnd.ms-powerpoint",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "rtf": "application/rtf",
    "epub": "application/epub+zip",
    "html": "text/html",
    "htm": "text/html",
    "csv": "text/csv",
    "eml": "message/rfc822",
    "msg": "application/vnd.ms-outlook",
}
_OF_MIME_TYPE = {mime_type: extension for extension, mime_type in reversed(PARSED_MIME_TYPES.items())}
# Formats that are text, in any encoding: the parser takes UTF-8.
_DECODED = ("html", "htm", "csv")
LONGEST_READ_SECONDS = 60.0


logger = logging.getLogger(__name__)


class DocumentUnsupported(Exception):
    """Files of this format have no text that we can extract."""


class DocumentUnreadable(Exception):
    """The file is broken, or extracting its text went over a limit. `cause`: the line for the operator."""

    def __init__(self, message: str, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause or message


@dataclass(frozen=True)
class Passage:
    """A part of a document's text; `page` counts from 1, None in formats without pages."""

    page: int | None
    text: str


def extract_text(
    content: bytes,
    extension: str,
    mime_type: str,
    seconds: float,
    cancellation: Cancellation,
    owner: WorkOwner = FRONTDESK,
) -> str:
    """Return the text of a document, with its tables as Markdown.

    `extension`: with or without its dot; it decides before the MIME type, whose charset counts where it names one.
    `seconds`: what the caller has left; the parser itself gets at most LONGEST_READ_SECONDS of it. `owner`: for whom
    it is read, who has a share of the places of parsers.
    Raises DocumentUnsupported, DocumentUnreadable, Cancelled.
    """
    return "".join(
        passage.text for passage in _read(content, extension, mime_type, seconds, cancellation, False, owner)
    )


def extract_passages(
    content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation
) -> Sequence[Passage]:
    """Return the text of a document, page by page if it has pages, headings as Markdown.

    Raises as `extract_text`.
    """
    return _read(content, extension, mime_type, seconds, cancellation, True, FRONTDESK)


def _read(
    content: bytes,
    extension: str,
    mime_type: str,
    seconds: float,
    cancellation: Cancellation,
    marked: bool,
    owner: WorkOwner,
) -> Sequence[Passage]:
    kind = _format_of(extension.lower().lstrip("."), mime_type.partition(";")[0].strip().lower())
    if kind in TEXT_EXTENSIONS:
        return [Passage(None, read_text(content, mime_type, markup=kind == "xml"))]
    if kind not in PARSED_MIME_TYPES:
        raise DocumentUnsupported(f"Files of type {extension or mime_type or 'unknown'} are not supported.")
    if kind in _DECODED:
        content = read_text(content, mime_type, markup=kind != "csv").encode("utf-8", "replace")
    return _parse(content, PARSED_MIME_TYPES[kind], seconds, cancellation, marked, owner)


def _format_of(extension: str, mime_type: str) -> str:
    """Return the extension that stands for a document's format; empty for an unknown one."""
    if extension in TEXT_EXTENSIONS or extension in PARSED_MIME_TYPES:
        return extension
    if mime_type in _OF_MIME_TYPE:
        return _OF_MIME_TYPE[mime_type]
    return (
        "txt"
        if mime_type.startswith("text/") or mime_type in ("application/json", "application/xml", "application/yaml")
        else ""
    )


def _parse(
    content: bytes, mime_type: str, seconds: float, cancellation: Cancellation, marked: bool, owner: WorkOwner
) -> Sequence[Passage]:
    if not parser_library.is_installed():
        raise _not_set_up(parser_library.NOT_INSTALLED)
    deadline = time.monotonic() + seconds
    try:
        folder = parser_library.folder()
        with parser_places.place(folder, seconds, cancellation, owner):
            # The process that reads the document may write no files, so that another one unpacks the library before.
            if mime_type == PARSED_MIME_TYPES["pdf"] and not parser_library.is_unpacked(folder):
                parser_runs.run(
                    "from app.providers.documents.parser_process import *; unpack()",
                    b"",
                    folder,
                    LONGEST_READ_SECONDS,
                    cancellation,
                )
            left = max(min(deadline - time.monotonic(), LONGEST_READ_SECONDS), 0.0)
            call = f"main({mime_type!r}, {int(left) + 1}, {marked})"
            output = parser_runs.run(
                f"from app.providers.documents.parser_process import main; {call}", content, folder, left, cancellation
            )
    except parser_places.NoPlaceInTime:
        raise DocumentUnreadable(
            "The document could not be read: too many others were read at the same time."
        ) from None
    except parser_runs.ParserFailed as failure:
        raise DocumentUnreadable(str(failure)) from None
    except OSError as error:
        raise _not_set_up(f"The parser cannot be set up: {error}") from None
    return [Passage(page, text) for page, text in json.loads(output)]


def _not_set_up(cause: str) -> DocumentUnreadable:
    logger.error("documents cannot be read: %s", cause)
    return DocumentUnreadable("This kind of document cannot be read on this server.", cause)
