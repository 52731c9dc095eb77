"""Parse one document, in a process of its own: content on standard input, JSON on standard output."""

import io
import json
import os
import re
import resource
import sys
import zipfile
from typing import Any

MEMORY = 1024 * 1024 * 1024
# What a package (Word, Excel, PowerPoint, OpenDocument, EPUB) may hold, by what it says itself before it is unpacked.
LARGEST_PACKAGE = 512 * 1024 * 1024
MOST_PACKAGE_PARTS = 20_000
# The metadata that the parser writes before the text of an HTML page.
HTML_HEAD = re.compile(r"\A---\n.*?\n\n(?:## title: [^\n]*\n\n)?", re.DOTALL)
# A valid PDF without a page.
EMPTY_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj "
    b"trailer<</Root 1 0 R>>"
)


class PackageTooLarge(Exception):
    """An archive says that it holds more than may be unpacked."""


def main(mime_type: str, seconds: int, marked: bool) -> None:
    """Write [[page or null, text], …] and end the process.

    `seconds`: the limit of CPU time; `marked`: page by page if there are pages, headings and tables as Markdown.
    A document that cannot be read ends the process with exit code 1 and one line on standard error.
    """
    content = sys.stdin.buffer.read()
    import kreuzberg

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        _refuse_bomb(content)
        passages = (
            _marked(kreuzberg, content, mime_type)
            if marked
            else [(None, _extract(kreuzberg, content, mime_type).content)]
        )
    except Exception as error:
        # A broad `except`: whatever the parser raises is a fault of the document, and told as such.
        name = "" if isinstance(error, PackageTooLarge) else f"{type(error).__name__}: "
        sys.stderr.write(f"{name}{error}".replace("\n", " ")[:500])
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.buffer.write(json.dumps(passages, ensure_ascii=False).encode("utf-8", "replace"))
    sys.stdout.flush()
    # At once, for nothing is left to clean up.
    os._exit(0)


def unpack() -> None:
    """Make the parser unpack its PDF library into TMPDIR, by having it read a PDF without a page."""
    import kreuzberg

    try:
        kreuzberg.extract_bytes_sync(EMPTY_PDF, "application/pdf")
    except kreuzberg.KreuzbergError as error:
        sys.stderr.write(str(error))


def _refuse_bomb(content: bytes) -> None:
    """Raise PackageTooLarge for a ZIP archive that would become too large, before any of it is unpacked.

    One that lies about its sizes meets the limit of memory.
    """
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
    if len(parts) > MOST_PACKAGE_PARTS:
        raise PackageTooLarge(f"it has more than {MOST_PACKAGE_PARTS} parts")
    if sum(part.file_size for part in parts) > LARGEST_PACKAGE:
        raise PackageTooLarge(f"unpacked it is larger than {LARGEST_PACKAGE // 1024 // 1024} MB")


def _extract(kreuzberg: Any, content: bytes, mime_type: str, **options: Any) -> Any:
    return kreuzberg.extract_bytes_sync(
        content, mime_type, config=kreuzberg.ExtractionConfig(use_cache=False, **options)
    )


def _marked(kreuzberg: Any, content: bytes, mime_type: str) -> list[tuple[int | None, str]]:
    if mime_type == "application/pdf":
        found = _extract(kreuzberg, content, mime_type, pages=kreuzberg.PageConfig(extract_pages=True))
        return [(page["page_number"], page["content"].replace("\r\n", "\n")) for page in found.pages or []]
    text = _extract(kreuzberg, content, mime_type, output_format="markdown").content
    if mime_type == "text/html":
        text = HTML_HEAD.sub("", text)
    return [(None, text)]
