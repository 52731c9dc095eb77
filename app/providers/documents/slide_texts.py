"""Read the text of PowerPoint presentations (pptx): shapes, tables and notes of each slide, in order."""

from collections.abc import Iterator

from app.providers.documents.markdown_tables import markdown_table
from app.providers.documents.office_packages import Element, Package, attribute, child, children, local

_TITLES = ("title", "ctrTitle")
# Placeholders of a notes page that are no notes.
_FURNITURE = ("sldImg", "sldNum", "dt", "hdr", "ftr")


def slide_text(content: bytes, marked: bool) -> str:
    """Return the text of a presentation; `marked`: with titles as headings. Tables are Markdown always.

    Raises KeyError, ValueError, ElementTree.ParseError, BadZipFile for what is no such presentation.
    """
    package = Package(content)
    main = package.linked("", "officeDocument")
    slides = child(package.part(main), "sldIdLst") if main is not None else None
    if main is None or slides is None:
        raise ValueError("it has no slides")
    links = package.links(main)
    blocks: list[str] = []
    for entry in slides:
        # Its own `id` is a number; the link's is in the namespace of links.
        link = next((value for key, value in entry.items() if key.endswith("}id")), "")
        _, path = links.get(link, ("", ""))
        blocks += _blocks(package.part(path), marked)
        notes = package.linked(path, "notesSlide")
        if notes is not None:
            blocks += _blocks(package.part(notes), marked=False)
    return "\n\n".join(block for block in blocks if block.strip())


def _blocks(parent: Element, marked: bool) -> Iterator[str]:
    for item in parent:
        kind = local(item)
        if kind == "tbl":
            yield markdown_table(_rows(item))
        elif kind == "sp":
            yield from _shape(item, marked)
        elif kind != "Fallback":
            yield from _blocks(item, marked)


def _shape(shape: Element, marked: bool) -> Iterator[str]:
    place = child(shape, "nvSpPr", "nvPr", "ph")
    role = "" if place is None else attribute(place, "type")
    body = child(shape, "txBody")
    if body is None or role in _FURNITURE:
        return
    text = _text(body)
    yield f"## {' '.join(text.split())}" if marked and role in _TITLES and text.strip() else text


def _rows(table: Element) -> list[list[str]]:
    """Return the cells of a table. A merged cell stands in each of its places."""
    rows: list[list[str]] = []
    for row in children(table, "tr"):
        cells: list[str] = []
        for cell in children(row, "tc"):
            body = child(cell, "txBody")
            text = "" if body is None else _text(body)
            if attribute(cell, "hMerge") in ("1", "true") and cells:
                text = cells[-1]
            elif attribute(cell, "vMerge") in ("1", "true") and rows and len(cells) < len(rows[-1]):
                text = rows[-1][len(cells)]
            cells.append(text)
        rows.append(cells)
    return rows


def _text(body: Element) -> str:
    return "\n".join("".join(_runs(paragraph)) for paragraph in children(body, "p"))


def _runs(parent: Element) -> Iterator[str]:
    for item in parent:
        kind = local(item)
        if kind == "t":
            yield item.text or ""
        elif kind == "br":
            yield "\n"
        elif kind not in ("rPr", "pPr", "endParaRPr", "Fallback"):
            yield from _runs(item)
