"""Where the PDF library of the document parser is kept.

The parser unpacks it into the folder of temporary files, and may not write any file once it reads what others sent. So it is unpacked once,
before, into a folder that nobody else can write to.
"""

import importlib.metadata
import os
import pathlib
import stat
import tempfile
import threading

_lock = threading.Lock()
_known: list[pathlib.Path] = []


def folder() -> pathlib.Path:
    """The folder of this user and this version of the parser; made where it is missing. Raises OSError."""
    with _lock:
        if not _known or not _known[0].is_dir():
            _known[:] = [_folder()]
        return _known[0]


def is_unpacked(place: pathlib.Path) -> bool:
    return any(place.glob("*/libpdfium*.so")) or any(place.glob("*/libpdfium*.dylib"))


def _folder() -> pathlib.Path:
    version = importlib.metadata.version("kreuzberg")
    place = pathlib.Path(tempfile.gettempdir()) / f"frontdesk-parser-{version}-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    found = place.lstat()
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077:
        return place
    # Somebody else was here first: what lies there is not to be loaded.
    return pathlib.Path(tempfile.mkdtemp(prefix="frontdesk-parser-"))
