"""The pages' files, read and compressed once at start: modules, styles, fonts.

The address of every file holds one hash of all of them, `/pages/HASH/core/dom.js`. Relative imports between modules
therefore lead to files of the same state, and each file may be cached for ever.
"""

import gzip
import hashlib
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

MEDIA_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
# Compressed already.
AS_IT_IS = (".woff2",)
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^\s+", re.MULTILINE)
# Static imports; `import(…)` has no space or brace before its parenthesis and loads when it is called.
_STATIC_IMPORT = re.compile(r"""^(?:import|export)\s[^;(]*?["'](\.{1,2}/[^"']+)["'];""", re.MULTILINE)


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

    def plain(self) -> bytes:
        """Return the file for a client that takes no compressed body."""
        return gzip.decompress(self.body) if self.encoding else self.body


class AssetTree:
    """All assets by their path; `version` is the hash of them all, and of what `beside` says of files beside them."""

    def __init__(self, folder: pathlib.Path, beside: str = "") -> None:
        self._assets: dict[str, Asset] = {}
        self._imports: dict[str, list[str]] = {}
        state = hashlib.sha256(beside.encode())
        for path in sorted(folder.rglob("*")):
            if path.suffix in MEDIA_TYPES and path.is_file():
                name, content = path.relative_to(folder).as_posix(), path.read_bytes()
                state.update(f"{name}\0{len(content)}\0".encode() + content)
                self._add(name, path.suffix, content)
        self.version = state.hexdigest()[:16]

    def _add(self, name: str, suffix: str, content: bytes) -> None:
        media_type = MEDIA_TYPES[suffix]
        self._assets[name] = (
            Asset(content, None, media_type) if suffix in AS_IT_IS else Asset.packed(content, media_type)
        )
        if suffix == ".js":
            self._imports[name] = [_resolve(name, target) for target in _STATIC_IMPORT.findall(content.decode())]

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
        """Return a script without its indentation and the comments that have lines of their own."""
        return _INDENT.sub("", _COMMENT.sub("", self[name].plain().decode())).encode()

    def with_imports(self, name: str) -> list[str]:
        """Return a module and all that it imports statically, itself first: what a browser loads before it runs."""
        found = [name]
        for module in found:
            found += [target for target in self._imports[module] if target not in found and target in self._imports]
        return found


def _resolve(module: str, target: str) -> str:
    """Return the path that a relative import leads to."""
    parts = module.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
