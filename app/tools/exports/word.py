"""Write Markdown blocks as a Word document."""

import io
from collections.abc import Sequence

import docx
from docx.document import Document
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from app.tools.exports.markdown_blocks import Block, Check, Spans

_CODE_FONT = "Courier New"
_DEEPEST = 3


def to_docx(blocks: Sequence[Block], check: Check) -> bytes:
    """Return the document."""
    document = docx.Document()
    for block in blocks:
        check()
        _add(document, block, check)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _add(document: Document, block: Block, check: Check) -> None:
    if block.kind == "heading":
        _fill(document.add_heading(level=block.level), block.spans)
    elif block.kind == "table":
        _add_table(document, block, check)
    elif block.kind == "code":
        paragraph = document.add_paragraph()
        paragraph.paragraph_format.left_indent = Cm(0.5)
        _fill(paragraph, block.spans)
    elif block.kind == "rule":
        document.add_paragraph("―" * 20)
    elif block.kind == "item" and block.mark:
        level = min(block.level, _DEEPEST)
        numbered = block.mark != "•"
        # Word would go on counting over all lists of a document: numbers are written out.
        style = "Normal" if numbered else "List Bullet" if level == 1 else f"List Bullet {level}"
        paragraph = document.add_paragraph(style=style)
        if numbered:
            paragraph.paragraph_format.left_indent = Cm(0.63 * level)
            paragraph.add_run(f"{block.mark} ")
        _fill(paragraph, block.spans)
    else:
        paragraph = document.add_paragraph(style="Quote" if block.quoted else None)
        if block.kind == "item":
            paragraph.paragraph_format.left_indent = Cm(0.63 * block.level)
        _fill(paragraph, block.spans)


def _add_table(document: Document, block: Block, check: Check) -> None:
    table = document.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
    for row in block.rows:
        check()
        for spans, cell in zip(row, table.add_row().cells, strict=True):
            _fill(cell.paragraphs[0], spans)
    for cell in table.rows[0].cells:
        for run in cell.paragraphs[0].runs:
            run.bold = True
    document.add_paragraph()


def _fill(paragraph: Paragraph, spans: Spans) -> None:
    for span in spans:
        run = paragraph.add_run(_printable(span.text))
        run.bold, run.italic, run.font.strike = span.bold or None, span.italic or None, span.struck or None
        if span.code:
            run.font.name, run.font.size = _CODE_FONT, Pt(10)
            run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), _CODE_FONT)
        if span.link and span.link != span.text:
            paragraph.add_run(f" ({_printable(span.link)})")


def _printable(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(sign for sign in text if sign >= " " or sign in "\t\n")
