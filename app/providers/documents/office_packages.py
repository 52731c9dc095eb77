"""Read Office Open XML and OpenDocument packages: ZIP archives of XML parts.

Elements are told by their local names, so that the strict and the transitional form of a format are read alike.
"""

import io
import posixpath
import zipfile
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

Element = ElementTree.Element
LARGEST_PACKAGE = 512 * 1024 * 1024
MOST_PARTS = 20_000


class PackageTooLarge(Exception):
    """An archive says that it holds more than may be unpacked."""


def refuse_bomb(content: bytes) -> None:
    """Raise PackageTooLarge for a ZIP archive that would become too large, before any of it is unpacked.

    One that lies about its sizes meets the limit of memory.
    """
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
    if len(parts) > MOST_PARTS:
        raise PackageTooLarge(f"it has more than {MOST_PARTS} parts")
    if sum(part.file_size for part in parts) > LARGEST_PACKAGE:
        raise PackageTooLarge(f"unpacked it is larger than {LARGEST_PACKAGE // 1024 // 1024} MB")


class Package:
    """An open package. Its methods raise KeyError for a missing part, ElementTree.ParseError for a broken one."""

    def __init__(self, content: bytes) -> None:
        self._archive = zipfile.ZipFile(io.BytesIO(content))

    def part(self, path: str) -> Element:
        """Return the root of an XML part."""
        return ElementTree.fromstring(self._archive.read(path))

    def links(self, path: str = "") -> Mapping[str, tuple[str, str]]:
        """Return the links of a part, or of the package, by their ids: kind, such as `slide`, and the other part."""
        folder, name = posixpath.split(path)
        try:
            root = self.part(posixpath.join(folder, "_rels", f"{name}.rels"))
        except KeyError:
            return {}
        return {
            link.get("Id", ""): (
                link.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, link.get("Target", ""))).lstrip("/"),
            )
            for link in root
            if link.get("TargetMode") != "External"
        }

    def linked(self, path: str, kind: str) -> str | None:
        """Return the part of a kind that a part, or the package, links to."""
        return next((target for found, target in self.links(path).values() if found == kind), None)


def local(element: Element) -> str:
    """Return the name of an element without its namespace; "" for comments and instructions."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """Return an attribute by its local name; "" where it is missing."""
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), "")


def number(element: Element, name: str, usual: int, most: int) -> int:
    """Return an attribute that counts something, between 0 and `most`."""
    text = attribute(element, name)
    return min(int(text), most) if text.isascii() and text.isdecimal() and len(text) < 10 else usual


def child(element: Element, *names: str) -> Element | None:
    """Return the descendant along a path of local names; None where it is missing."""
    found: Element | None = element
    for name in names:
        found = None if found is None else next((item for item in found if local(item) == name), None)
    return found


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children of a local name."""
    return (item for item in element if local(item) == name)
