"""Files under keys, in a folder (`file:///…`) or an object store (`s3://bucket/prefix`), by fsspec."""

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

Given = TypeVar("Given")


class FileMissing(Exception):
    """There is nothing under this key."""


class FileStorage:
    """One root for all files of an installation. Shared by all threads; connects on first use.

    Every method raises ServiceUnavailable where the store does not do as it is told.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connected: tuple[Any, str] | None = None

    def create(self, key: str) -> "NewFile":
        """An empty file, to be written and then kept or discarded."""
        filesystem, path = self._at(key)
        # A local file has its name at once: whoever writes must not tell of the key before it is kept.
        options: dict[str, Any] = {"autocommit": False} if filesystem.async_impl else {}
        return NewFile(self, key, _call(filesystem, filesystem.open, path, "wb", block_size=PART, **options))

    def open(self, key: str) -> "StoredFile":
        """Raises FileMissing."""
        filesystem, path = self._at(key)
        return StoredFile(
            filesystem, _call(filesystem, filesystem.open, path, "rb", missing=FileMissing, block_size=PART)
        )

    def delete(self, key: str) -> None:
        """Remove a file; nothing happens where there is none."""
        filesystem, path = self._at(key)
        with contextlib.suppress(FileMissing):
            _call(filesystem, filesystem.rm_file, path, missing=FileMissing)

    def _at(self, key: str) -> tuple[Any, str]:
        filesystem, root = self._connect()
        return filesystem, f"{root}/{key}"

    def _connect(self) -> tuple[Any, str]:
        with self._lock:
            if self._connected is None:
                # Imported on first use: most processes never touch a file.
                import fsspec.asyn
                import fsspec.core

                # Asynchronous stores do their work in one thread, which must not begin in a thread of a pool.
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
    """A file on its way into the store. Unless it is kept, leaving the block discards it."""

    def __init__(self, storage: FileStorage, key: str, handle: Any) -> None:
        self._storage = storage
        self._key = key
        self._handle = handle
        self._over = False
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()

    def write(self, data: bytes) -> int:
        _call(self._handle.fs, self._handle.write, data)
        self.size += len(data)
        return len(data)

    def keep(self) -> None:
        """From here on the file can be read."""
        _call(self._handle.fs, self._handle.close)
        if not getattr(self._handle, "autocommit", True):
            _call(self._handle.fs, self._handle.commit)
        self._over = True

    def discard(self) -> None:
        """Leave nothing behind. Without effect on a file that was kept."""
        if self._over:
            return
        self._over = True
        if getattr(self._handle, "autocommit", True):
            _call(self._handle.fs, self._handle.close)
            self._storage.delete(self._key)
        else:
            # Else the garbage collector would close it, which writes.
            self._handle.closed = True
            _call(self._handle.fs, self._handle.discard)


class StoredFile:
    """An open file. To be closed."""

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
        return int(_call(self._filesystem, self._handle.seek, position, whence))

    def read(self, most: int = -1) -> bytes:
        """Up to so many bytes, all that is left by default; empty at the end."""
        return bytes(_call(self._filesystem, self._handle.read, most))

    def tell(self) -> int:
        return int(self._handle.tell())

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        _call(self._filesystem, self._handle.close)


def _call(
    filesystem: Any,
    function: Callable[..., Given],
    *args: Any,
    missing: type[Exception] = ServiceUnavailable,
    **options: Any,
) -> Given:
    """Do one thing with the store. Raises ServiceUnavailable, and `missing` where the file, or the bucket, is not there."""
    try:
        if filesystem.async_impl and _is_cooperative():
            # fsspec refuses to wait in the system's thread that runs its event loop, and under gevent that is ours.
            import gevent

            return gevent.get_hub().threadpool.apply(function, args, options)  # type: ignore[no-any-return]
        return function(*args, **options)
    except FileNotFoundError:
        raise missing from None
    except Exception as failure:
        # Each store has errors of its own.
        logger.error("file storage failed: %s: %s", type(failure).__name__, str(failure).partition("\n")[0])
        raise ServiceUnavailable from failure


@functools.cache
def _is_cooperative() -> bool:
    """Whether gevent has taken over this process's threads."""
    try:
        from gevent import monkey
    except ImportError:
        return False
    return bool(monkey.is_module_patched("threading"))
