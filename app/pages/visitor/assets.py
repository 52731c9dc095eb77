"""The pages' files, read, joined and compressed once at start: modules, styles, fonts.

The address of every file holds one hash of all of them, `/pages/HASH/core/dom.js`. Relative imports between modules
therefore lead to files of the same state, and each file may be cached for ever.
"""

import gzip
import hashlib
import pathlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.pages.visitor.bundles import Bundler

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
# Compressed already.
AS_IT_IS = (".woff2",)
# Comments that begin a line: they are for those who read the sources, and a quarter of what would be sent.
_COMMENT = re.compile(rb"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/[ \t]*|//[^\n]*)\n", re.MULTILINE)
_INDENT = re.compile(rb"^[ \t]+", re.MULTILINE)


@dataclass(frozen=True)
class Asset:
    """One file as it goes over the wire. `body` is compressed where `encoding` is `gzip`."""

    body: bytes
    encoding: str | None
    media_type: str

    @classmethod
    def packed(cls, content: bytes, media_type: str) -> "Asset":
        """Return the asset of a content, compressed."""
        # The time within a gzip file is left out: processes started at different times send the same bytes.
        return cls(gzip.compress(content, 9, mtime=0), "gzip", media_type)

    @property
    def text(self) -> str:
        """The file's content."""
        return self.plain().decode()

    def plain(self) -> bytes:
        """Return the file for a client that takes no compressed body."""
        return gzip.decompress(self.body) if self.encoding else self.body


class AssetTree:
    """All assets by their path, and the bundles made of them; `version` is a hash of all that is sent.

    `entries`: modules to make bundles of; `styles`: lists of styles that go together; `beside`: what else may change.
    """

    def __init__(
        self,
        folder: pathlib.Path,
        entries: Iterable[str] = (),
        styles: Iterable[tuple[str, ...]] = (),
        beside: str = "",
    ) -> None:
        self._assets: dict[str, Asset] = {}
        self._sources: dict[str, str] = {}
        self._state = hashlib.sha256(beside.encode())
        for path in sorted(folder.rglob("*")):
            if path.suffix in MEDIA_TYPES and path.is_file():
                self._add(path.relative_to(folder).as_posix(), path.suffix, path.read_bytes())
        # Texts have no imports, and one language is loaded of all.
        bundler = Bundler({name: text for name, text in self._sources.items() if not name.startswith("texts/")})
        for entry in sorted(set(entries)):
            self._add(bundle_name((entry,)), ".js", bundler.bundle(entry).encode())
        for names in sorted(set(styles)):
            self._add(bundle_name(names), ".css", "".join(self._assets[name].text for name in names).encode())
        # The bundles are made: a megabyte that no request needs.
        self._sources.clear()
        self.version = self._state.hexdigest()[:16]

    def _add(self, name: str, suffix: str, content: bytes) -> None:
        media_type = MEDIA_TYPES[suffix]
        if suffix in (".js", ".css"):
            content = _COMMENT.sub(b"", content)
        if suffix == ".js":
            self._sources[name] = content.decode()
        self._state.update(f"{name}\0{len(content)}\0".encode() + content)
        self._assets[name] = (
            Asset(content, None, media_type) if suffix in AS_IT_IS else Asset.packed(content, media_type)
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._assets)

    def __getitem__(self, name: str) -> Asset:
        return self._assets[name]

    def find(self, name: str) -> Asset | None:
        """Return the asset of this path; None where there is none."""
        return self._assets.get(name)

    def address(self, name: str) -> str:
        """Return the path of an asset on this server."""
        return f"/pages/{self.version}/{name}"

    def bare_script(self, name: str) -> bytes:
        """Return a script without its indentation, for one that has no texts of several lines."""
        return _INDENT.sub(b"", self[name].plain())


def bundle_name(names: tuple[str, ...]) -> str:
    """Return the path of the bundle of these assets. It lies as deep as they do, so that relative addresses hold."""
    stems = "-".join(name.rpartition(".")[0].replace("/", "-") for name in names)
    return f"bundles/{stems}{pathlib.PurePosixPath(names[0]).suffix}"
