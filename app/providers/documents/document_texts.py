"""The text of documents. Hostile files exist, so that what needs a parser is read in a process of its own, with limits."""

import json
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.providers.cancellation import Cancellation, Cancelled
from app.providers.documents import parser_library

# Read as they are.
TEXTS = frozenset(
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
# Read by the parser, which goes by the MIME type.
PARSED = {
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
_OF_MIME_TYPE = {mime_type: extension for extension, mime_type in reversed(PARSED.items())}
LONGEST_READ = 60.0
_CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
_STEP = 0.1


class DocumentUnsupported(Exception):
    """Files of this kind have no text that could be read."""


class DocumentUnreadable(Exception):
    """The file is broken, or reading it went over a limit."""


@dataclass(frozen=True)
class Passage:
    """A part of a document; `page` counts from 1, None where there are no pages."""

    page: int | None
    text: str


def text_of(content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation) -> str:
    """The text of a document. `extension` with or without its dot; it counts before the MIME type.

    Raises DocumentUnsupported, DocumentUnreadable, Cancelled.
    """
    return "".join(passage.text for passage in _read(content, extension, mime_type, seconds, cancellation, False))


def passages_of(
    content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation
) -> Sequence[Passage]:
    """The text of a document, page by page where it has pages; headings and tables as Markdown. Raises as `text_of`."""
    return _read(content, extension, mime_type, seconds, cancellation, True)


def _read(
    content: bytes, extension: str, mime_type: str, seconds: float, cancellation: Cancellation, marked: bool
) -> Sequence[Passage]:
    kind = _kind(extension.lower().lstrip("."), mime_type.partition(";")[0].strip().lower())
    if kind in TEXTS:
        return [Passage(None, _decoded(content))]
    if kind not in PARSED:
        raise DocumentUnsupported(f"Files of type {extension or mime_type or 'unknown'} are not supported.")
    return _parsed(content, PARSED[kind], min(seconds, LONGEST_READ), cancellation, marked)


def _kind(extension: str, mime_type: str) -> str:
    if extension in TEXTS or extension in PARSED:
        return extension
    if mime_type in _OF_MIME_TYPE:
        return _OF_MIME_TYPE[mime_type]
    return (
        "txt"
        if mime_type.startswith("text/") or mime_type in ("application/json", "application/xml", "application/yaml")
        else ""
    )


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")


def _parsed(
    content: bytes, mime_type: str, seconds: float, cancellation: Cancellation, marked: bool
) -> Sequence[Passage]:
    try:
        place = parser_library.folder()
        if mime_type == PARSED["pdf"] and not parser_library.is_unpacked(place):
            _run("unpack()", b"", place, seconds, cancellation)
    except OSError as error:
        raise DocumentUnreadable(f"The parser cannot be set up: {error.strerror}") from None
    found = _run(f"main({mime_type!r}, {int(seconds) + 1}, {marked})", content, place, seconds, cancellation)
    return [Passage(page, text) for page, text in json.loads(found)]


def _run(call: str, content: bytes, place: pathlib.Path, seconds: float, cancellation: Cancellation) -> bytes:
    """What a function of parser_process writes, in a process of its own with nothing of our environment."""
    paths = [str(_CHECKOUT), *(path for path in sys.path if path)]
    start = f"import sys; sys.path[:] = {paths!r}; from app.providers.documents.parser_process import *; {call}"
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", start],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"TMPDIR": str(place)},
        cwd="/",
    )
    deadline = time.monotonic() + seconds
    given: bytes | None = content
    try:
        while True:
            try:
                written, wrong = process.communicate(given, timeout=_STEP)
                break
            except subprocess.TimeoutExpired:
                given = None
            if cancellation.is_cancelled:
                raise Cancelled
            if time.monotonic() > deadline:
                raise DocumentUnreadable(f"The document could not be read in {seconds:g} seconds.")
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode != 0:
        last = wrong.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise DocumentUnreadable(f"The document could not be read: {last or 'it is too large'}")
    return written
