"""Read the text of OpenDocument files (odt, ods, odp): paragraphs, lists, tables."""

import re
from collections.abc import Iterator

from app.providers.documents.markdown_tables import cell_table, markdown_table
from app.providers.documents.office_packages import Element, Package, attribute, child, local, number

MOST_COLUMNS = 500
MOST_REPEATED_ROWS = 1_000
_BLANKS = re.compile(r"[ \t\r\n]+")
_HIDDEN = frozenset({"tracked-changes", "annotation", "annotation-end", "forms", "sequence-decls", "note-citation"})


def open_document_text(content: bytes, marked: bool) -> str:
    """Return the text of a document; `marked`: with headings and lists as Markdown. Tables are Markdown always.

    Raises KeyError, ValueError, ElementTree.ParseError, BadZipFile for what is no such document.
    """
    body = child(Package(content).part("content.xml"), "body")
    if body is None:
        raise ValueError("it has no body")
    return "\n\n".join(block for block in _blocks(body, marked) if block.strip())


def _blocks(parent: Element, marked: bool) -> Iterator[str]:
    for item in parent:
        kind = local(item)
        if kind in ("p", "h"):
            boxes: list[Element] = []
            text = "".join(_pieces(item, boxes))
            level = number(item, "outline-level", 1, 6)
            yield f"{'#' * level} {' '.join(text.split())}" if marked and kind == "h" and text.strip() else text
            for box in boxes:
                yield from _blocks(box, marked)
        elif kind == "table":
            name = attribute(item, "name") if local(parent) == "spreadsheet" else ""
            table = markdown_table(_rows(item))
            if name and table:
                yield f"## {name}"
            yield table
        elif kind == "list-item":
            for number_of_block, block in enumerate(_blocks(item, marked)):
                yield f"- {block}" if marked and not number_of_block else block
        elif kind not in _HIDDEN:
            yield from _blocks(item, marked)


def _rows(table: Element) -> list[list[str]]:
    """Return the cells of a table without the empty ones at its ends. A merged cell stands in the first of its places.

    Spreadsheets fill up their sheets with empty cells and rows, and say how often one is repeated.
    """
    rows: list[list[str]] = []
    for row in _table_rows(table):
        cells: list[str] = []
        for cell in row:
            if local(cell) in ("table-cell", "covered-table-cell"):
                text = _cell(cell)
                cells += [text] * min(number(cell, "number-columns-repeated", 1, 20_000), MOST_COLUMNS - len(cells))
        while cells and not cells[-1]:
            cells.pop()
        repeated = number(row, "number-rows-repeated", 1, MOST_REPEATED_ROWS)
        rows += [cells] * repeated if cells else [cells]
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _table_rows(parent: Element) -> Iterator[Element]:
    for item in parent:
        if local(item) == "table-row":
            yield item
        elif local(item) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _table_rows(item)


def _cell(cell: Element) -> str:
    texts = []
    for item in cell:
        if local(item) == "table":
            texts.append(cell_table(_rows(item)))
        elif local(item) not in _HIDDEN:
            texts += [block for block in _blocks(_only(item), marked=False) if block]
    return "\n".join(texts)


def _only(item: Element) -> Element:
    """Return a parent of an element alone."""
    parent = Element("cell")
    parent.append(item)
    return parent


def _pieces(parent: Element, boxes: list[Element]) -> Iterator[str]:
    """Yield the pieces of a paragraph's text, and collect the text boxes that hang on it."""
    yield _collapsed(parent.text)
    for item in parent:
        kind = local(item)
        if kind == "s":
            yield " " * number(item, "c", 1, 1_000)
        elif kind == "tab":
            yield "\t"
        elif kind == "line-break":
            yield "\n"
        elif kind == "text-box":
            boxes.append(item)
        elif kind == "note-body":
            yield f" ({' '.join(''.join(_pieces(item, boxes)).split())})"
        elif kind not in _HIDDEN:
            yield from _pieces(item, boxes)
        yield _collapsed(item.tail)


def _collapsed(text: str | None) -> str:
    """Return a text with one blank for each run of them: more than one is written as an element."""
    return _BLANKS.sub(" ", text or "")
