"""Store files under keys, in a folder (`file:///…`) or an object store (`s3://bucket/prefix`), by fsspec."""

import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar

from app.errors import ServiceUnavailable

logger = logging.getLogger(__name__)

# Object stores take parts of at least 5 MiB; one part is all that a transfer keeps in memory.
PART = 8_388_608

Result = TypeVar("Result")


class FileMissing(Exception):
    """The storage holds no file under this key."""


class FileStorage:
    """The files of an installation, under one root URL. Shared by all threads; connects on first use.

    Every method raises ServiceUnavailable if the store fails.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connected: tuple[Any, str] | None = None

    def create(self, key: str) -> "NewFile":
        """Open an empty file for writing; the caller ends it by `keep` or `discard`."""
        filesystem, path = self._at(key)
        # An object store shows a file once its upload is committed. A local file is visible under its key while it is
        # being written, so that callers must not publish the key before `keep`.
        options: dict[str, Any] = {"autocommit": False} if filesystem.async_impl else {}
        return NewFile(self, key, _call(filesystem, filesystem.open, path, "wb", block_size=PART, **options))

    def open(self, key: str) -> "StoredFile":
        """Open a file for reading. Raises FileMissing."""
        filesystem, path = self._at(key)
        return StoredFile(
            filesystem, _call(filesystem, filesystem.open, path, "rb", missing=FileMissing, block_size=PART)
        )

    def delete(self, key: str) -> None:
        """Remove a file, if there is one."""
        filesystem, path = self._at(key)
        with contextlib.suppress(FileMissing):
            _call(filesystem, filesystem.rm_file, path, missing=FileMissing)

    def _at(self, key: str) -> tuple[Any, str]:
        """Return fsspec's file system and the path of a key in it."""
        filesystem, root = self._connect()
        return filesystem, f"{root}/{key}"

    def _connect(self) -> tuple[Any, str]:
        with self._lock:
            if self._connected is None:
                # Imported on first use: fsspec is large, and most processes never touch a file.
                import fsspec.asyn
                import fsspec.core

                # Asynchronous stores share one event loop. Started by the first call it would, under gevent, be a
                # greenlet of a pool's thread (see `_call`), which runs only while that thread has work: start it here.
                fsspec.asyn.get_loop()
                options = {"auto_mkdir": True} if self._url.startswith("file:") else {}
                try:
                    filesystem, root = fsspec.core.url_to_fs(self._url, skip_instance_cache=True, **options)
                except (ImportError, ValueError) as problem:
                    logger.error("STORAGE_URL cannot be used: %s", problem)
                    raise ServiceUnavailable from None
                self._connected = filesystem, root.rstrip("/")
            return self._connected


class NewFile:
    """A file being written, a context manager: leaving the block without `keep` discards it. `size`: bytes so far."""

    def __init__(self, storage: FileStorage, key: str, handle: Any) -> None:
        self._storage = storage
        self._key = key
        self._handle = handle
        self._ended = False
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def write(self, data: bytes) -> int:
        """Append bytes and return their number."""
        _call(self._handle.fs, self._handle.write, data)
        self.size += len(data)
        return len(data)

    def keep(self) -> None:
        """Complete the file: from here on it can be read."""
        _call(self._handle.fs, self._handle.close)
        if not getattr(self._handle, "autocommit", True):
            _call(self._handle.fs, self._handle.commit)
        self._ended = True

    def discard(self) -> None:
        """Remove what was written. Does nothing to a file that was kept."""
        if self._ended:
            return
        self._ended = True
        if getattr(self._handle, "autocommit", True):
            _call(self._handle.fs, self._handle.close)
            self._storage.delete(self._key)
        else:
            # fsspec closes a handle when it is collected, and closing writes the file: mark it as closed instead.
            self._handle.closed = True
            _call(self._handle.fs, self._handle.discard)


class StoredFile:
    """A file open for reading: what web servers need of a file object. The caller closes it, or uses `with`."""

    def __init__(self, filesystem: Any, handle: Any) -> None:
        self._filesystem = filesystem
        self._handle = handle

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def seek(self, position: int, whence: int = 0) -> int:
        """Move to a position, counted as by `io.IOBase.seek`, and return it."""
        return int(_call(self._filesystem, self._handle.seek, position, whence))

    def read(self, most: int = -1) -> bytes:
        """Read up to so many bytes, by default all that is left; empty at the end."""
        return bytes(_call(self._filesystem, self._handle.read, most))

    def tell(self) -> int:
        """Return the position."""
        return int(self._handle.tell())

    def seekable(self) -> bool:
        """Whether `seek` works: always. Werkzeug asks before it answers a range."""
        return True

    def close(self) -> None:
        """Release the file."""
        _call(self._filesystem, self._handle.close)


def _call(
    filesystem: Any,
    function: Callable[..., Result],
    *args: Any,
    missing: type[Exception] = ServiceUnavailable,
    **options: Any,
) -> Result:
    """Call a function of the store.

    Raises ServiceUnavailable if it fails, `missing` if it finds no such file or bucket.
    """
    try:
        if filesystem.async_impl and _is_cooperative():
            # fsspec refuses to wait in the system's thread that runs its event loop. Under gevent all greenlets share
            # that thread, the caller's too, so that the call needs a real thread.
            import gevent

            # gevent has no types.
            return gevent.get_hub().threadpool.apply(function, args, options)  # type: ignore[no-any-return]
        return function(*args, **options)
    except FileNotFoundError:
        raise missing from None
    except Exception as failure:
        # A broad `except`, for every store raises errors of its own and fsspec gives them no common base.
        logger.error("file storage failed: %s: %s", type(failure).__name__, str(failure).partition("\n")[0])
        raise ServiceUnavailable from failure


@functools.cache
def _is_cooperative() -> bool:
    """Whether gevent has patched this process's threads."""
    try:
        from gevent import monkey
    except ImportError:
        return False
    return bool(monkey.is_module_patched("threading"))
