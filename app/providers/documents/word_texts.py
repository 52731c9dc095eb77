"""Read the text of Word documents (docx): paragraphs, tables, text boxes, notes."""

from collections.abc import Iterator

from app.providers.documents.markdown_tables import cell_table, markdown_table
from app.providers.documents.office_packages import Element, Package, attribute, child, local, number

MOST_COLUMNS = 500
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
# What is not shown: deleted text, field codes, properties, and the spare form of what Word draws.
_HIDDEN = frozenset(
    {"del", "moveFrom", "instrText", "delText", "rPr", "pPr", "tcPr", "trPr", "tblPr", "sectPr", "Fallback"}
)


def word_text(content: bytes, marked: bool) -> str:
    """Return the text of a document; `marked`: with headings and lists as Markdown. Tables are Markdown always.

    Raises KeyError, ValueError, ElementTree.ParseError, BadZipFile for what is no such document.
    """
    package = Package(content)
    main = package.linked("", "officeDocument")
    if main is None:
        raise ValueError("it has no document")
    reader = _Reader(_heading_levels(package, main) if marked else {}, marked)
    body = child(package.part(main), "body")
    blocks = [] if body is None else list(reader.blocks(body))
    for kind in ("footnotes", "endnotes"):
        path = package.linked(main, kind)
        for note in package.part(path) if path is not None else ():
            # Notes with a type are lines that separate them from the text.
            if not attribute(note, "type"):
                blocks += reader.blocks(note)
    return "\n\n".join(block for block in blocks if block.strip())


def _heading_levels(package: Package, main: str) -> dict[str, int]:
    """Return the levels of the styles that are headings, by their ids."""
    path = package.linked(main, "styles")
    levels: dict[str, int] = {}
    for style in package.part(path) if path is not None else ():
        name, outline = child(style, "name"), child(style, "pPr", "outlineLvl")
        title = attribute(name, "val").lower() if name is not None else ""
        if outline is not None:
            levels[attribute(style, "styleId")] = number(outline, "val", 9, 9) + 1
        elif title == "title":
            levels[attribute(style, "styleId")] = 1
    return {style: level for style, level in levels.items() if level <= 6}


class _Reader:
    def __init__(self, levels: dict[str, int], marked: bool) -> None:
        self._levels, self._marked = levels, marked

    def blocks(self, parent: Element) -> Iterator[str]:
        """Yield the paragraphs and tables of a body, a cell, a note or a text box."""
        for item in parent:
            kind = local(item)
            if kind == "p":
                yield from self._paragraph(item)
            elif kind == "tbl":
                yield markdown_table(self._rows(item))
            elif kind not in _HIDDEN:
                # Content controls, insertions, custom XML.
                yield from self.blocks(item)

    def _paragraph(self, paragraph: Element) -> Iterator[str]:
        boxes: list[Element] = []
        text = "".join(_runs(paragraph, boxes))
        properties = child(paragraph, "pPr")
        if self._marked and properties is not None and text.strip():
            style = child(properties, "pStyle")
            level = self._levels.get(attribute(style, "val"), 0) if style is not None else 0
            if level:
                text = f"{'#' * level} {' '.join(text.split())}"
            elif child(properties, "numPr") is not None:
                text = f"- {text}"
        yield text
        for box in boxes:
            yield from self.blocks(box)

    def _rows(self, table: Element) -> list[list[str]]:
        """Return the cells of a table. A merged cell stands in each of its places."""
        rows: list[list[str]] = []
        for row in _inside(table, "tr"):
            before = child(row, "trPr", "gridBefore")
            cells = [""] * (0 if before is None else number(before, "val", 0, MOST_COLUMNS))
            for cell in _inside(row, "tc"):
                span, merge = child(cell, "tcPr", "gridSpan"), child(cell, "tcPr", "vMerge")
                text = self._cell(cell)
                if merge is not None and attribute(merge, "val") != "restart" and rows and len(cells) < len(rows[-1]):
                    text = rows[-1][len(cells)]
                cells += [text] * (1 if span is None else max(number(span, "val", 1, MOST_COLUMNS), 1))
            rows.append(cells[:MOST_COLUMNS])
        return rows

    def _cell(self, cell: Element) -> str:
        texts = []
        for item in cell:
            if local(item) == "tbl":
                texts.append(cell_table(self._rows(item)))
            elif local(item) not in _HIDDEN:
                boxes: list[Element] = []
                texts.append("".join(_runs(item, boxes)))
                texts += [block for box in boxes for block in self.blocks(box)]
        return "\n".join(text for text in texts if text)


def _inside(parent: Element, name: str) -> Iterator[Element]:
    """Yield the children of a name, those in content controls and insertions too."""
    for item in parent:
        if local(item) == name:
            yield item
        elif local(item) in ("sdt", "sdtContent", "ins", "customXml"):
            yield from _inside(item, name)


def _runs(parent: Element, boxes: list[Element]) -> Iterator[str]:
    """Yield the pieces of a paragraph's text, and collect the text boxes that hang on it."""
    for item in parent:
        kind = local(item)
        if kind == "t":
            yield item.text or ""
        elif kind in _BREAKS:
            yield _BREAKS[kind]
        elif kind == "txbxContent":
            boxes.append(item)
        elif kind not in _HIDDEN:
            if kind == "p":
                yield "\n"
            yield from _runs(item, boxes)
