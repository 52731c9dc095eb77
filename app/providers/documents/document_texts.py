"""Extract the text of documents.

Text files are decoded here. All other formats need a parser of native code, which a hostile file may crash or keep busy
without end: it runs in a process of its own for each document, with limits of memory and time, without our environment.
"""

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents import parser_library

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
    "rtf": "application/rtf",
    "epub": "application/epub+zip",
    "html": "text/html",
    "htm": "text/html",
    "csv": "text/csv",
    "eml": "message/rfc822",
    "msg": "application/vnd.ms-outlook",
}
_OF_MIME_TYPE = {mime_type: extension for extension, mime_type in reversed(PARSED_MIME_TYPES.items())}
LONGEST_READ_SECONDS = 60.0
_CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
# How late a stop is noticed, for the parser cannot be waited for and interrupted at once.
_POLL_SECONDS = 0.1


class DocumentUnsupported(Exception):
    """Files of this format have no text that we can extract."""


class DocumentUnreadable(Exception):
    """The file is broken, or extracting its text went over a limit."""


@dataclass(frozen=True)
class Passage:
    """A part of a document's text; `page` counts from 1, None in formats without pages."""

    page: int | None
    text: str


def extract_text(content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation) -> str:
    """Return the text of a document. `extension` with or without its dot; it decides before the MIME type.

    Raises DocumentUnsupported, DocumentUnreadable, Cancelled.
    """
    return "".join(passage.text for passage in _read(content, extension, mime_type, seconds, cancellation, False))


def extract_passages(
    content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation
) -> Sequence[Passage]:
    """Return the text of a document, page by page if it has pages, headings and tables as Markdown.

    Raises as `extract_text`.
    """
    return _read(content, extension, mime_type, seconds, cancellation, True)


def _read(
    content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation, marked: bool
) -> Sequence[Passage]:
    kind = _format_of(extension.lower().lstrip("."), mime_type.partition(";")[0].strip().lower())
    if kind in TEXT_EXTENSIONS:
        return [Passage(None, _decode(content))]
    if kind not in PARSED_MIME_TYPES:
        raise DocumentUnsupported(f"Files of type {extension or mime_type or 'unknown'} are not supported.")
    return _parse(content, PARSED_MIME_TYPES[kind], min(seconds, LONGEST_READ_SECONDS), cancellation, marked)


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


def _decode(content: bytes) -> str:
    """Decode a text file: UTF-8, by its byte order mark UTF-16, else the encoding of Western Windows."""
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def _parse(
    content: bytes, mime_type: str, seconds: float, cancellation: Cancellation, marked: bool
) -> Sequence[Passage]:
    if not parser_library.is_installed():
        raise DocumentUnreadable(parser_library.NOT_INSTALLED)
    try:
        folder = parser_library.folder()
        # The process that reads the document may write no files, so that another one unpacks the library before.
        if mime_type == PARSED_MIME_TYPES["pdf"] and not parser_library.is_unpacked(folder):
            _run("unpack()", b"", folder, seconds, cancellation)
    except OSError as error:
        raise DocumentUnreadable(f"The parser cannot be set up: {error.strerror}") from None
    output = _run(f"main({mime_type!r}, {int(seconds) + 1}, {marked})", content, folder, seconds, cancellation)
    return [Passage(page, text) for page, text in json.loads(output)]


def _run(call: str, content: bytes, folder: pathlib.Path, seconds: float, cancellation: Cancellation) -> bytes:
    """Return what a function of parser_process writes to standard output, run in a process of its own.

    The process inherits nothing of our environment: keys and passwords stand there. `-I -S` keeps Python from reading
    anything of it; the paths of the packages are therefore put back by hand.
    """
    paths = [str(_CHECKOUT), *(path for path in sys.path if path)]
    start = f"import sys; sys.path[:] = {paths!r}; from app.providers.documents.parser_process import *; {call}"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", start],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"TMPDIR": str(folder)},
        cwd="/",
    )
    deadline = time.monotonic() + seconds
    # The input of the first `communicate`; the later ones go on with it and take none.
    unsent: bytes | None = content
    try:
        while True:
            try:
                output, problem = process.communicate(unsent, timeout=_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                unsent = None
            if cancellation.is_cancelled:
                raise Cancelled
            if time.monotonic() > deadline:
                raise DocumentUnreadable(f"The document could not be read in {seconds:g} seconds.")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode != 0:
        # Killed for its memory, it leaves no last line.
        last = problem.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise DocumentUnreadable(f"The document could not be read: {last or 'it is too large'}")
    return output
