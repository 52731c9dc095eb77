"""Write Markdown blocks as a PDF document.

Characters of Western Europe have the standard fonts; Chinese, Japanese and Korean ones the fonts that every viewer
brings. All others need a TrueType font of this machine, such as DejaVu (Debian: `fonts-dejavu-core`).
"""

import functools
import io
import pathlib
import re
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import HRFlowable, LayoutError, Paragraph, Preformatted, SimpleDocTemplate, Spacer, Table
from reportlab.platypus.flowables import Flowable

from app.tools.exports.markdown_blocks import Block, Check, Spans, plain

_SANS, _MONO = "Helvetica", "Courier"
_CHINESE, _JAPANESE, _KOREAN = "STSong-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"
_TRUE_TYPE = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "LiberationSans-Regular.ttf",
    "Arial Unicode.ttf",
    "FreeSans.ttf",
)
_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts/Supplemental")
_WESTERN = re.compile(
    r"[\x00-\xff\u2010-\u2026\u2030\u2039\u203a\u20ac\u2122\u0152\u0153\u0160\u0161\u0178\u017d\u017e•]+"
)
_KANA = re.compile(r"[\u3040-\u30ff]")
_HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")
_EAST_ASIAN = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]+")
_SIZES = {1: 20, 2: 16, 3: 14, 4: 12, 5: 11, 6: 11}
_LONGEST_CELL = 1_000
_MOST_COLUMNS = 12
_PADDING = 3


class PdfFailed(Exception):
    """The text cannot be laid out; one line says why."""


def to_pdf(blocks: Sequence[Block], check: Check) -> bytes:
    """Return the document, on A4. Raises PdfFailed."""
    fonts = _Fonts("".join(_words(blocks)))
    out = io.BytesIO()
    document = SimpleDocTemplate(out, pagesize=A4, leftMargin=2 * cm, rightMargin=2 * cm, topMargin=2 * cm)
    story = [part for block in blocks for part in _parts(block, fonts, check)]

    def at_page(*_: object) -> None:
        check()

    try:
        document.build(story or [Spacer(1, 1)], onFirstPage=at_page, onLaterPages=at_page)
    except LayoutError:
        raise PdfFailed("A table or line of the text is too large for a page.") from None
    return out.getvalue()


def _words(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        yield block.text
        for row in block.rows:
            yield from map(plain, row)


class _Fonts:
    """Chooses the font of each piece of a text."""

    def __init__(self, text: str) -> None:
        japanese, korean = _KANA.search(text), _HANGUL.search(text)
        self._east_asian = _JAPANESE if japanese else _KOREAN if korean else _CHINESE
        self.wraps_anywhere = bool(_EAST_ASIAN.search(text))

    def markup(self, text: str) -> str:
        """Return a text as markup, in which each piece has a font that can show it."""
        pieces, position = [], 0
        while position < len(text):
            match = _WESTERN.match(text, position) or _EAST_ASIAN.match(text, position)
            end = match.end() if match else position + 1
            piece = escape("".join(sign for sign in text[position:end] if sign >= " " or sign in "\n\t"))
            piece = piece.replace("\n", "<br/>")
            if match and match.re is _WESTERN:
                pieces.append(piece)
            else:
                font = _loaded(self._east_asian) if match else _true_type() or _SANS
                pieces.append(f"<font name={quoteattr(font)}>{piece}</font>")
            position = end
        return "".join(pieces)


@functools.cache
def _loaded(name: str) -> str:
    pdfmetrics.registerFont(UnicodeCIDFont(name))
    return name


@functools.cache
def _true_type() -> str:
    """Return the name of a font of this machine with many scripts; empty where there is none."""
    for folder in map(pathlib.Path, _FOLDERS):
        for file in _TRUE_TYPE:
            for path in sorted(folder.rglob(file)) if folder.is_dir() else ():
                try:
                    pdfmetrics.registerFont(TTFont("frontdesk-sans", str(path)))
                except (TTFError, OSError):
                    continue
                return "frontdesk-sans"
    return ""


def _parts(block: Block, fonts: _Fonts, check: Check) -> Iterator[Flowable]:
    check()
    indent = 12.0 * block.quoted
    if block.kind == "table":
        yield from _table(block, fonts, check)
    elif block.kind == "code":
        yield _code(block.text, indent, fonts)
    elif block.kind == "rule":
        yield HRFlowable(width="100%", color=colors.lightgrey, spaceBefore=6, spaceAfter=6)
    elif block.kind == "heading":
        style = _style(fonts, _SIZES[block.level], indent, before=10)
        yield Paragraph(f"<b>{_line(block.spans, fonts)}</b>", style)
    else:
        depth = 14.0 * block.level if block.kind == "item" else 0.0
        style = _style(fonts, 10.5, indent + depth, grey=block.quoted > 0)
        yield Paragraph(_line(block.spans, fonts), style, bulletText=block.mark or None)


def _style(fonts: _Fonts, size: float, indent: float, before: float = 0, grey: bool = False) -> ParagraphStyle:
    return ParagraphStyle(
        "own",
        fontName=_SANS,
        fontSize=size,
        leading=size * 1.4,
        leftIndent=indent,
        bulletIndent=max(0.0, indent - 14),
        spaceBefore=before,
        spaceAfter=5,
        alignment=TA_LEFT,
        textColor=colors.HexColor("#555555") if grey else colors.black,
        wordWrap="CJK" if fonts.wraps_anywhere else None,
    )


def _line(spans: Spans, fonts: _Fonts) -> str:
    pieces = []
    for span in spans:
        piece = fonts.markup(span.text)
        for tag, wanted in (("b", span.bold), ("i", span.italic), ("strike", span.struck)):
            piece = f"<{tag}>{piece}</{tag}>" if wanted else piece
        if span.code:
            piece = f'<font name="{_MONO}">{piece}</font>'
        if span.link.startswith(("http://", "https://", "mailto:")):
            piece = f'<a href={quoteattr(span.link)} color="#1d4ed8">{piece}</a>'
        pieces.append(piece)
    return "".join(pieces)


def _code(text: str, indent: float, fonts: _Fonts) -> Flowable:
    style = ParagraphStyle("code", fontName=_MONO, fontSize=9, leading=11.5, leftIndent=indent + 6, spaceAfter=6)
    if _WESTERN.fullmatch(text) or not text:
        return Preformatted(text, style, maxLineLength=90, newLineChars="")
    return Paragraph(fonts.markup(text).replace("  ", "&nbsp; "), style)


def _table(block: Block, fonts: _Fonts, check: Check) -> Iterator[Flowable]:
    style = _style(fonts, 9, 0)
    lines = [[_line(cell, fonts) for cell in row] for row in block.rows]
    lines[0] = [f"<b>{line}</b>" for line in lines[0]]
    if len(lines[0]) > _MOST_COLUMNS or any(len(plain(cell)) > _LONGEST_CELL for row in block.rows for cell in row):
        # No columns so narrow, and no cell that would have to go on on the next page: a line for each row.
        yield from (Paragraph(" | ".join(row), style) for row in lines)
        return
    width = (A4[0] - 4 * cm) / len(lines[0])
    cells, heights = [], []
    for line in lines:
        check()
        cells.append([Paragraph(piece, style) for piece in line])
        heights.append(max(cell.wrap(width - 2 * _PADDING, A4[1])[1] for cell in cells[-1]) + 2 * _PADDING)
    yield Table(
        cells,
        colWidths=[width] * len(lines[0]),
        # Given, because a table would measure all rows that are left on each new page.
        rowHeights=heights,
        repeatRows=1,
        style=[
            ("GRID", (0, 0), (-1, -1), 0.5, colors.grey),
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#f1f5f9")),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            *((f"{side}PADDING", (0, 0), (-1, -1), _PADDING) for side in ("LEFT", "RIGHT", "TOP", "BOTTOM")),
        ],
    )
    yield Spacer(1, 8)
