"""The inside of the process that parses one document: content on standard input, JSON on standard output."""

import json
import os
import re
import resource
import sys
from typing import Any

MEMORY = 3 * 1024 * 1024 * 1024
# What the parser writes before a page's own text.
HTML_HEAD = re.compile(r"\A---\n.*?\n\n(?:## title: [^\n]*\n\n)?", re.DOTALL)
NO_PAGES = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj trailer<</Root 1 0 R>>"


def main(mime_type: str, seconds: int, marked: bool) -> None:
    """Write [[page or null, text], …]; `marked`: page by page where there are pages, headings and tables as Markdown.

    Ends with exit code 1 and a line on standard error where the document cannot be read.
    """
    content = sys.stdin.buffer.read()
    import kreuzberg

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        passages = (
            _marked(kreuzberg, content, mime_type)
            if marked
            else [(None, _extract(kreuzberg, content, mime_type).content)]
        )
    except Exception as error:
        # Whatever the parser stumbles over is in the document.
        sys.stderr.write(f"{type(error).__name__}: {error}".replace("\n", " ")[:500])
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.buffer.write(json.dumps(passages, ensure_ascii=False).encode("utf-8", "replace"))
    sys.stdout.flush()
    os._exit(0)


def unpack() -> None:
    """Have the parser unpack its PDF library into TMPDIR, by a document of ours without a page."""
    import kreuzberg

    try:
        kreuzberg.extract_bytes_sync(NO_PAGES, "application/pdf")
    except kreuzberg.KreuzbergError as error:
        sys.stderr.write(str(error))


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
