"""Parse one document, in a process of its own: content on standard input, JSON on standard output."""

import codecs
import contextlib
import ctypes
import json
import os
import re
import resource
import signal
import sys
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from xml.etree import ElementTree

from app.providers.confinement import Confinement, confine
from app.providers.documents.mail_texts import read_mail
from app.providers.documents.office_packages import PackageTooLarge, refuse_bomb
from app.providers.documents.open_document_texts import open_document_text
from app.providers.documents.slide_texts import slide_text
from app.providers.documents.text_encoding import load
from app.providers.documents.word_texts import word_text

MEMORY = 1024 * 1024 * 1024
# For the library's threads, which wake each other by descriptors.
DESCRIPTORS = 64
_SET_PARENT_DEATH_SIGNAL = 1
EPUB, MAIL, PAGE = "application/epub+zip", "message/rfc822", "text/html"
_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument"
# Formats whose tables the library would join or cut.
_OWN_READERS: Mapping[str, Callable[[bytes, bool], str]] = {
    f"{_OFFICE}.wordprocessingml.document": word_text,
    f"{_OFFICE}.presentationml.presentation": slide_text,
    f"{_OPEN_DOCUMENT}.text": open_document_text,
    f"{_OPEN_DOCUMENT}.spreadsheet": open_document_text,
    f"{_OPEN_DOCUMENT}.presentation": open_document_text,
}
# Formats that are tables.
_TABULAR = frozenset({f"{_OFFICE}.spreadsheetml.sheet", "application/vnd.ms-excel", "text/csv"})
# The metadata that the library writes before the text of an HTML page.
_HTML_HEAD = re.compile(r"\A---\n.*?\n\n(?:## title: [^\n]*\n\n)?", re.DOTALL)
# Its escapes of all but the bars of tables: they would stand in the text of prompts and searches.
_ESCAPE = re.compile(r"\\([^\w\s|])")
# A valid PDF without a page.
EMPTY_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj "
    b"trailer<</Root 1 0 R>>"
)


def main(mime_type: str, seconds: int, marked: bool) -> None:
    """Write [[page or null, text], …] and end the process.

    `seconds`: the limit of CPU time; `marked`: page by page if there are pages, headings as Markdown. Tables are
    Markdown always.
    A document that cannot be read ends the process with exit code 1 and one line on standard error.
    """
    content = sys.stdin.buffer.read()
    import kreuzberg

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    lock_in(kreuzberg, mime_type)
    try:
        refuse_bomb(content)
        passages = _passages(kreuzberg, content, mime_type, marked)
    except MemoryError:
        _fail("it is too large")
    except Exception as error:
        # A broad `except`: whatever the parser raises is a fault of the document, and told as such.
        name = "" if isinstance(error, PackageTooLarge) else f"{type(error).__name__}: "
        _fail(f"{name}{error}")
    sys.stdout.buffer.write(json.dumps(passages, ensure_ascii=False).encode("utf-8", "replace"))
    sys.stdout.flush()
    # At once, for nothing is left to clean up.
    os._exit(0)


def _fail(problem: str) -> NoReturn:
    sys.stderr.write(problem.replace("\n", " ")[:500])
    sys.stderr.flush()
    os._exit(1)


def lock_in(kreuzberg: Any, mime_type: str) -> frozenset[str]:
    """Confine this process for good, with all loaded that reading such a document needs; return the fences that hold.

    Behind them it can open no file and no socket, start no process, and ends with the worker that started it.
    """
    # The names of an archive's parts are in this one.
    codecs.lookup("cp437")
    if mime_type == MAIL:
        load()
    if mime_type == "application/pdf":
        with contextlib.suppress(kreuzberg.KreuzbergError):
            _extract(kreuzberg, EMPTY_PDF, mime_type)
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    return confine(Confinement(MEMORY, descriptors=DESCRIPTORS, threads=True, event_loops=True))


def unpack() -> None:
    """Make the parser unpack its PDF library into TMPDIR, by having it read a PDF without a page."""
    import kreuzberg

    try:
        kreuzberg.extract_bytes_sync(EMPTY_PDF, "application/pdf")
    except kreuzberg.KreuzbergError as error:
        sys.stderr.write(str(error))


def _passages(kreuzberg: Any, content: bytes, mime_type: str, marked: bool) -> list[tuple[int | None, str]]:
    own = _OWN_READERS.get(mime_type)
    if own is not None:
        # What is broken for us, the library may read still.
        with contextlib.suppress(KeyError, ValueError, ElementTree.ParseError, zipfile.BadZipFile):
            text = own(content, marked)
            if text.strip():
                return [(None, text)]
    if mime_type == MAIL:
        mail = read_mail(content)
        text = _page(kreuzberg, mail.text.encode("utf-8", "replace")) if mail.is_page else mail.text
        return [(None, f"{mail.heads}\n\n{text}")]
    if mime_type == PAGE:
        return [(None, _page(kreuzberg, content))]
    if mime_type == "application/pdf":
        if not marked:
            return [(None, _extract(kreuzberg, content, mime_type).content)]
        found = _extract(kreuzberg, content, mime_type, pages=kreuzberg.PageConfig(extract_pages=True))
        return [(page["page_number"], page["content"].replace("\r\n", "\n")) for page in found.pages or []]
    found = _extract(kreuzberg, content, mime_type, output_format="markdown")
    if not (marked or mime_type in _TABULAR or found.tables):
        return [(None, _extract(kreuzberg, content, mime_type).content)]
    return [(None, found.content if mime_type == EPUB else _ESCAPE.sub(r"\1", found.content))]


def _page(kreuzberg: Any, content: bytes) -> str:
    text: str = _extract(kreuzberg, content, PAGE, output_format="markdown").content
    return _HTML_HEAD.sub("", text)


def _extract(kreuzberg: Any, content: bytes, mime_type: str, **options: Any) -> Any:
    return kreuzberg.extract_bytes_sync(
        content, mime_type, config=kreuzberg.ExtractionConfig(use_cache=False, **options)
    )
