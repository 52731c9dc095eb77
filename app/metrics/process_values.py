"""The numbers of one process, in a file that outlives it.

The file is mapped into memory: a number that was counted is there for others at once, and after a kill -9. Its process
holds a lock on it, by which others tell whether it lives. A file in the making has a name that begins with a dot.

    magic, 8 bytes │ where the entries end, 8 bytes │ entries
    an entry: length of the key, 4 bytes │ how many numbers, 4 bytes │ key, filled up to 8 bytes │ numbers, 8 bytes each

Entries never move, and the end is written after the entry before it. Numbers lie at multiples of eight and are read and
written in one step each: no reader sees half of one.
"""

import fcntl
import mmap
import os
import pathlib
import secrets
import struct
import threading
from collections.abc import Iterator

from app.metrics.known_names import KnownNames

MAGIC = b"FDMETR01"
HEADER = 16
WORD = 8
FIRST_BYTES, MOST_BYTES = 1 << 16, 1 << 20
SEPARATOR = "\0"
SUFFIX = ".values"
CAPPED = ("app", "model", "endpoint", "cause")
_LENGTHS = struct.Struct("=II")


class ProcessValues:
    """Counts in this process's file. Used by many threads."""

    def __init__(self, folder: pathlib.Path, process: str) -> None:
        """Raises OSError."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The random part: process ids are used again, and containers have the same ones.
        name = f"{process}-{os.getpid()}-{secrets.token_hex(8)}{SUFFIX}"
        self.path = folder / name
        self._lock = threading.Lock()
        # By metric and labels: which number of the file is the first one of the entry. Mostly the first look finds it.
        self._places: dict[tuple[str, ...], int] = {}
        self._names = {label: KnownNames(folder, label) for label in CAPPED}
        # Whether no more entries can be made.
        self._full = False
        hidden = folder / f".{name}"
        self._file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._map(FIRST_BYTES)
            self._memory[:WORD] = MAGIC
            self._words[1] = HEADER
            hidden.rename(self.path)
        except BaseException:
            os.close(self._file)
            hidden.unlink(missing_ok=True)
            raise

    def add(self, name: str, values: tuple[str, ...], labels: tuple[str, ...], amount: float) -> None:
        """Add to a counter. `labels`: what the values are values of."""
        with self._lock:
            place = self._places.get((name, *values))
            if place is None:
                place = self._place((name, *self._bounded(values, labels)), 1)
            if place is not None:
                self._numbers[place] += amount

    def observe(
        self, name: str, values: tuple[str, ...], labels: tuple[str, ...], bucket: int, buckets: int, seconds: float
    ) -> None:
        """Count a duration in a bucket of a histogram, and add it to the sum, which stands behind the buckets."""
        with self._lock:
            place = self._places.get((name, *values))
            if place is None:
                place = self._place((name, *self._bounded(values, labels)), buckets + 1)
            if place is not None:
                self._numbers[place + bucket] += 1
                self._numbers[place + buckets] += seconds

    def put(self, name: str, values: tuple[str, ...], value: float) -> None:
        """Set a level."""
        with self._lock:
            place = self._place((name, *values), 1)
            if place is not None:
                self._numbers[place] = value

    def close_in_child(self) -> None:
        """Close a forked child's copy of the file, which would keep the lock of a parent that died."""
        self._lock = threading.Lock()
        self.close()

    def close(self) -> None:
        """Close the file; its lock goes with it."""
        with self._lock:
            self._full = True
            self._places.clear()
            self._unmap()
            if self._file >= 0:
                os.close(self._file)
                self._file = -1

    def _bounded(self, values: tuple[str, ...], labels: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            value if label not in self._names or value in self._names[label].known else self._names[label].admit(value)
            for value, label in zip(values, labels, strict=True)
        )

    def _place(self, key: tuple[str, ...], count: int) -> int | None:
        """Return where an entry's numbers begin; makes the entry where it is missing. None where there is no room."""
        place = self._places.get(key)
        if place is None and not self._full:
            place = self._make(key, count)
        return place

    def _make(self, key: tuple[str, ...], count: int) -> int | None:
        text = SEPARATOR.join(key).encode()
        end = self._words[1]
        head = _LENGTHS.pack(len(text), count) + text + bytes(-len(text) % WORD)
        following = end + len(head) + count * WORD
        if following > len(self._memory) and not self._grow(following):
            self._full = True
            return None
        self._memory[end : end + len(head)] = head
        place = self._places[key] = (end + len(head)) // WORD
        self._words[1] = following
        return place

    def _grow(self, least: int) -> bool:
        before = size = len(self._memory)
        while size < least:
            size *= 2
        if size > MOST_BYTES:
            return False
        self._unmap()
        try:
            self._map(size)
        except OSError:
            # A full disk: what has an entry is counted on.
            self._map(before)
            return False
        return True

    def _map(self, size: int) -> None:
        # Room is taken now: a page that the disk has no room for would end the process when it is written.
        os.posix_fallocate(self._file, 0, size)
        self._memory = mmap.mmap(self._file, size)
        self._words = memoryview(self._memory).cast("Q")
        self._numbers = memoryview(self._memory).cast("d")

    def _unmap(self) -> None:
        self._words.release()
        self._numbers.release()
        self._memory.close()


def read_entries(descriptor: int) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Yield (metric and labels, numbers) of an open file; nothing of one that is not whole."""
    size = os.fstat(descriptor).st_size
    if size < HEADER:
        return
    words_end = size // WORD * WORD
    with (
        mmap.mmap(descriptor, size, prot=mmap.PROT_READ) as memory,
        memoryview(memory) as whole,
        whole[:words_end] as aligned,
        aligned.cast("Q") as words,
        aligned.cast("d") as numbers,
    ):
        end = min(words[1], words_end)
        place = HEADER if memory[:WORD] == MAGIC else end
        while place + WORD <= end:
            length, count = _LENGTHS.unpack_from(memory, place)
            first = (place + WORD + length + WORD - 1) // WORD
            following = (first + count) * WORD
            if following > end:
                return
            key = memory[place + WORD : place + WORD + length].decode("utf-8", "replace")
            yield tuple(key.split(SEPARATOR)), list(map(float, numbers[first : first + count]))
            place = following


def written(entries: dict[tuple[str, ...], list[float]]) -> bytes:
    """Return the content of a file with these entries."""
    content = bytearray()
    for key, numbers in entries.items():
        text = SEPARATOR.join(key).encode()
        content += _LENGTHS.pack(len(text), len(numbers)) + text + bytes(-len(text) % WORD)
        content += struct.pack(f"={len(numbers)}d", *numbers)
    return MAGIC + struct.pack("=Q", HEADER + len(content)) + bytes(content)
