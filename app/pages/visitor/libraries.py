"""Libraries of others that pages load when a text needs them: KaTeX for formulas, Mermaid for diagrams.

They come from packages (app/requirements/pages.txt). Where one is not installed its file is empty, and a page shows the
text as it was written. Mermaid needs inline styles, so it draws in a frame without rights that has a policy of its own.
"""

import functools
import importlib.metadata
import pathlib
import time
import zlib

# The name of the file: the package, and the file's path among installed packages.
LIBRARIES = {
    "katex.js": ("sphinxcontrib-katex", "sphinxcontrib/katex.min.js"),
    "mermaid.js": ("mermaidx", "mermaidx/assets/mermaid.js"),
}
FRAME = "diagram.html"
FRAME_HTML = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Diagram</title>
<script src="mermaid.js"></script>
<script src="../render/diagram_frame.js"></script>
"""
# Pages of other sites may frame a chat page, and so this frame within it.
FRAME_POLICY = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; sandbox allow-scripts"
# Other requests of this process go on while a library of megabytes is compressed.
PIECE_BYTES = 64 * 1024


def installed_state() -> str:
    """Return what tells installed libraries of different versions apart."""
    return " ".join(f"{name}={_version(package)}" for name, (package, _) in LIBRARIES.items())


@functools.cache
def packed_library(name: str) -> bytes:
    """Return a library's file as gzip, empty where it is not installed. Raises KeyError for a name that is none."""
    package, path = LIBRARIES[name]
    compressor = zlib.compressobj(level=6, wbits=31)
    packed = []
    content = _read(package, path)
    for start in range(0, len(content), PIECE_BYTES):
        packed.append(compressor.compress(content[start : start + PIECE_BYTES]))
        time.sleep(0)
    return b"".join([*packed, compressor.flush()])


def _read(package: str, path: str) -> bytes:
    try:
        file = importlib.metadata.distribution(package).locate_file(path)
        return pathlib.Path(str(file)).read_bytes()
    except (importlib.metadata.PackageNotFoundError, FileNotFoundError):
        return b""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"
