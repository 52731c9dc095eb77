"""Keep the PDF library of the document parser in a folder of this user.

The parser unpacks the library into the folder of temporary files, but may write no files once it reads a document that
others sent. So the library is unpacked once, before that, into a folder to which only this user can write.
"""

import importlib.metadata
import importlib.util
import os
import pathlib
import stat
import tempfile
import threading

PARSER = "kreuzberg"
NOT_INSTALLED = "Reading documents is not installed on this server: install app/requirements/documents.txt."

_lock = threading.Lock()
_known: list[pathlib.Path] = []


def is_installed() -> bool:
    """Whether this installation has the parser, which a lean one leaves out."""
    return importlib.util.find_spec(PARSER) is not None


def folder() -> pathlib.Path:
    """Return the folder of this user and this version of the parser; made if missing. Raises OSError."""
    with _lock:
        if not _known or not _known[0].is_dir():
            _known[:] = [_make_folder()]
        return _known[0]


def is_unpacked(folder: pathlib.Path) -> bool:
    """Whether a folder holds the library, for Linux or macOS."""
    return any(folder.glob("*/libpdfium*.so")) or any(folder.glob("*/libpdfium*.dylib"))


def _make_folder() -> pathlib.Path:
    version = importlib.metadata.version(PARSER)
    path = pathlib.Path(tempfile.gettempdir()) / f"frontdesk-parser-{version}-{os.getuid()}"
    path.mkdir(mode=0o700, exist_ok=True)
    about = path.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid() and not about.st_mode & 0o077:
        return path
    # The name is taken by another user, or open to others: a library from there must not be loaded.
    return pathlib.Path(tempfile.mkdtemp(prefix="frontdesk-parser-"))
