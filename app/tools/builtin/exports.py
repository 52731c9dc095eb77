"""The provider `md_exporter`: files made of Markdown, by the names that app files give such tools."""

import html
import importlib.util
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from app.providers.cancellation import Cancellation
from app.tools.builtin.builtin_tool import BuiltinProvider, BuiltinTool, provider, text, tool
from app.tools.builtin.text_tools import csv_text, objects_of
from app.tools.tool_types import ToolAnswer, ToolFailed, ToolFile

LONGEST_CONTENT = 500_000
LONGEST_NAME = 100
MOST_FILES = 50
MOST_SECONDS = 30.0
# The first ones of each list that the exports import.
PACKAGES = ("markdown_it", "docx", "openpyxl", "reportlab")
NOT_INSTALLED = "Making files of Markdown is not installed on this server: install app/requirements/exports.txt."
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>{title}</title></head>\n<body>\n{body}</body></html>\n'
)
TOOLS = (
    "md_to_docx",
    "md_to_pdf",
    "md_to_xlsx",
    "md_to_csv",
    "md_to_json",
    "md_to_html",
    "md_to_md",
    "md_to_codeblock",
    "markdown_to_docx_converter",
)
# Makes the files of a Markdown text: (extension, media type, content) of each.
Made = list[tuple[str, str, bytes]]
Check = Callable[[], None]


def is_installed() -> bool:
    """Whether this installation has the packages, which a lean one leaves out."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES)


def export_providers() -> dict[str, BuiltinProvider]:
    """Return the providers by the names that app files give them."""
    made = [
        _export("md_to_docx", "a Word document", _docx),
        _export("md_to_pdf", "a PDF document", _pdf),
        _export("md_to_xlsx", "an Excel workbook of its tables", _xlsx),
        _export("md_to_csv", "a CSV file of each table", _csv),
        _export("md_to_json", "a JSON file of its tables", _json),
        _export("md_to_html", "an HTML page", _html),
        _export(
            "md_to_md", "a Markdown file", lambda markdown, name, check: [("md", "text/markdown", markdown.encode())]
        ),
        _export("md_to_codeblock", "a file of each code block", _code),
    ]
    exporter = provider("📄", *made)
    converter = provider("📄", _export("markdown_to_docx_converter", "a Word document", _docx))
    return {"md_exporter": exporter, "markdown_exporter": exporter, "markdown_to_docx": converter}


def _export(name: str, what: str, make: Callable[[str, str, Check], Made]) -> BuiltinTool:
    def answer(arguments: Mapping[str, Any], seconds: float, cancellation: Cancellation) -> ToolAnswer:
        if not is_installed():
            raise ToolFailed(NOT_INSTALLED)
        markdown = text(arguments, "md_text", "markdown_content", "markdown", "content")
        if not markdown.strip():
            raise ToolFailed("md_text is empty.")
        if len(markdown) > LONGEST_CONTENT:
            raise ToolFailed(f"md_text is longer than {LONGEST_CONTENT} characters.")
        title = _file_name(text(arguments, "output_filename", "title", "filename", default="document"))
        made = make(markdown, title, _check(min(seconds, MOST_SECONDS), cancellation))
        if len(made) > MOST_FILES:
            raise ToolFailed(f"md_text would make {len(made)} files, more than {MOST_FILES}.")
        named = [f"{title}{'' if len(made) == 1 else f'_{number}'}" for number in range(1, len(made) + 1)]
        return ToolAnswer(
            files=[
                ToolFile(f"{stem}.{extension}", content, media_type)
                for stem, (extension, media_type, content) in zip(named, made, strict=True)
            ]
        )

    return tool(
        name,
        f"Makes {what} of Markdown.",
        {"en_US": f"Markdown to {name.rpartition('_')[2]}", "zh_Hans": f"Markdown 转 {name.rpartition('_')[2]}"},
        answer,
        md_text=("string", "The Markdown"),
        markdown_content=("string", "The Markdown, in the place of md_text"),
        output_filename=("string", "The file's name without an extension"),
        title=("string", "The file's name, in the place of output_filename"),
    )


def _check(seconds: float, cancellation: Cancellation) -> Check:
    """Return what long work calls: it raises ToolFailed once the time is over, Cancelled after a stop."""
    deadline = time.monotonic() + seconds

    def check() -> None:
        cancellation.raise_if_cancelled()
        if time.monotonic() > deadline:
            raise ToolFailed(f"Making the file took longer than {seconds:g} seconds.")

    return check


def _file_name(wanted: str) -> str:
    """Return a name without folders, extensions of ours, and characters that systems do not take."""
    name = "".join(sign if sign.isprintable() and sign not in '\\/:*?"<>|' else "_" for sign in wanted).strip(" .")
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in ("docx", "pdf", "xlsx", "csv", "json", "html", "md"):
        name = stem
    return name[:LONGEST_NAME].strip(" .") or "document"


def _docx(markdown: str, name: str, check: Check) -> Made:
    # Imported here, as in each of these: few installations make such files, and the packages are large.
    from app.tools.exports.markdown_blocks import read_markdown
    from app.tools.exports.word import to_docx

    return [("docx", WORD, to_docx(read_markdown(markdown, check), check))]


def _pdf(markdown: str, name: str, check: Check) -> Made:
    from app.tools.exports.markdown_blocks import read_markdown
    from app.tools.exports.pdf import PdfFailed, to_pdf

    try:
        return [("pdf", "application/pdf", to_pdf(read_markdown(markdown, check), check))]
    except PdfFailed as failure:
        raise ToolFailed(str(failure)) from None


def _xlsx(markdown: str, name: str, check: Check) -> Made:
    from app.tools.exports.sheets import to_xlsx

    return [("xlsx", EXCEL, to_xlsx(_tables(markdown, check), check))]


def _csv(markdown: str, name: str, check: Check) -> Made:
    # With a byte order mark: without it Excel reads UTF-8 as the encoding of Windows.
    return [("csv", "text/csv", f"\ufeff{csv_text(rows)}".encode()) for rows in _tables(markdown, check)]


def _json(markdown: str, name: str, check: Check) -> Made:
    tables = [objects_of(rows) for rows in _tables(markdown, check)]
    whole = tables[0] if len(tables) == 1 else tables
    return [("json", "application/json", json.dumps(whole, ensure_ascii=False, indent=2).encode())]


def _html(markdown: str, name: str, check: Check) -> Made:
    from app.tools.exports.markdown_blocks import parser, unfenced

    page = _PAGE.format(title=html.escape(name), body=parser(check).render(unfenced(markdown)))
    return [("html", "text/html", page.encode())]


def _code(markdown: str, name: str, check: Check) -> Made:
    from app.tools.exports.markdown_blocks import read_markdown

    extensions = {"python": "py", "javascript": "js", "typescript": "ts", "bash": "sh", "markdown": "md", "yaml": "yml"}
    blocks = [block for block in read_markdown(markdown, check) if block.kind == "code"]
    if not blocks:
        raise ToolFailed("md_text has no code block.")
    named = [(block, block.language.split(" ")[0].lower()) for block in blocks]
    return [
        (
            extensions.get(language, language if language.isalnum() else "txt") or "txt",
            "text/plain",
            block.text.encode(),
        )
        for block, language in named
    ]


def _tables(markdown: str, check: Check) -> list[list[list[str]]]:
    from app.tools.exports.markdown_blocks import read_markdown, tables

    found = tables(read_markdown(markdown, check))
    if not found:
        raise ToolFailed("md_text has no table.")
    return found
