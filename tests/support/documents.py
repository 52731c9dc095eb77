"""Small documents of every kind, made of their parts."""

import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0"?>'


def docx(text: str = "Hello from Word") -> bytes:
    return word(f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>")


def word(body: str, styles: str = "") -> bytes:
    """A Word document with this XML as its body, and as its styles; the prefix is `w`."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    types = {"/word/document.xml": f"{kind}.document.main+xml", "/word/styles.xml": f"{kind}.styles+xml"}
    return _package(
        {
            "[Content_Types].xml": _types(types),
            "_rels/.rels": _links(("officeDocument", "word/document.xml")),
            "word/_rels/document.xml.rels": _links(("styles", "styles.xml")),
            "word/document.xml": f"{_HEAD}<w:document {space}><w:body>{body}</w:body></w:document>",
            "word/styles.xml": f"{_HEAD}<w:styles {space}>{styles}</w:styles>",
        }
    )


def pptx(*slides: str) -> bytes:
    """A presentation with this XML as the shapes of its slides; the prefixes are `p` and `a`."""
    kind = "application/vnd.openxmlformats-officedocument.presentationml"
    space = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    drawing = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    names = [f"slides/slide{number}.xml" for number, _ in enumerate(slides, 1)]
    entries = "".join(f'<p:sldId id="{255 + number}" r:id="r{number}"/>' for number, _ in enumerate(slides, 1))
    parts = {
        f"ppt/{name}": f"{_HEAD}<p:sld {space} {drawing}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        for name, shapes in zip(names, slides, strict=True)
    }
    types = {f"/{name}": f"{kind}.slide+xml" for name in parts}
    return _package(
        {
            "[Content_Types].xml": _types({"/ppt/presentation.xml": f"{kind}.presentation.main+xml", **types}),
            "_rels/.rels": _links(("officeDocument", "ppt/presentation.xml")),
            "ppt/_rels/presentation.xml.rels": _links(*(("slide", name) for name in names)),
            "ppt/presentation.xml": f'{_HEAD}<p:presentation {space} xmlns:r="{_OFFICE}">'
            f"<p:sldIdLst>{entries}</p:sldIdLst></p:presentation>",
            **parts,
        }
    )


def open_document(kind: str, body: str) -> bytes:
    """An OpenDocument file of a kind (`text`, `spreadsheet`) with this XML as its body; prefixes `text`, `table`."""
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table")
    )
    content = f"<office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return _package(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"{_HEAD}<office:document-content {spaces}>{content}</office:document-content>",
        }
    )


def xlsx(*rows: Sequence[str]) -> bytes:
    """One sheet of texts."""
    sheet_type = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    lines = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{chr(65 + column)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
            for column, cell in enumerate(row)
        )
        + "</row>"
        for number, row in enumerate(rows, 1)
    )
    return _package(
        {
            "[Content_Types].xml": _types(
                {
                    "/xl/workbook.xml": f"{sheet_type}.sheet.main+xml",
                    "/xl/worksheets/sheet1.xml": f"{sheet_type}.worksheet+xml",
                }
            ),
            "_rels/.rels": _links(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'{_HEAD}<workbook {space} xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="One" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": _links(("worksheet", "worksheets/sheet1.xml")),
            "xl/worksheets/sheet1.xml": f"{_HEAD}<worksheet {space}><sheetData>{lines}</sheetData></worksheet>",
        }
    )


def pdf(*pages: str) -> bytes:
    """A page for each text, of one line."""
    kids = [4 + 2 * number for number in range(len(pages))]
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for kid, text in zip(kids, pages, strict=True):
        content = f"BT /F1 18 Tf 72 700 Td ({text}) Tj ET".encode()
        page = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {kid + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects += [page.encode(), b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def announcing(package: bytes, size: int) -> bytes:
    """Make a package say that its last part has so many bytes when it is unpacked."""
    entry = package.rindex(b"PK\x01\x02")
    return package[: entry + 24] + struct.pack("<I", size) + package[entry + 28 :]


def _package(parts: Mapping[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as package:
        for name, text in parts.items():
            package.writestr(name, text)
    return content.getvalue()


def _types(parts: Mapping[str, str]) -> str:
    overrides = "".join(f'<Override PartName="{name}" ContentType="{kind}"/>' for name, kind in parts.items())
    links = (
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{overrides}'
    )
    return f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">{links}</Types>'


def _links(*links: tuple[str, str]) -> str:
    entries = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(links, 1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{entries}</Relationships>'
