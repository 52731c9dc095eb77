"""The numbers of all processes of a host, read from their files.

What processes counted that are gone is in one more file, the archive. It is put in place in one step and names the
files that are in it: a file that is in the archive counts no more, whether it was removed already or not. Readers look
at the files first and at the archive behind them, and so need no lock: what is moved meanwhile is seen once. One
process at a time moves.
"""

import contextlib
import fcntl
import os
import pathlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.metrics.names import METRICS
from app.metrics.process_values import SUFFIX, read_entries, written
from app.metrics.recording import HistogramMetric, LevelMetric

ARCHIVE = f"archive{SUFFIX}"
LOCK = "archive.lock"
# How many names of moved files the archive keeps: a reader may have seen them before they were removed.
REMEMBERED = 256
# A file that is still in the making after so long was left behind.
MAKING_SECONDS = 60.0

Key = tuple[str, ...]
Entries = dict[Key, list[float]]


@dataclass
class HostValues:
    """`counts`: of all processes, dead ones included, by metric and labels; of histograms the buckets and the sum.

    `levels`: of the living ones, by metric, kind of process and labels. `processes`: the living ones of each kind.
    """

    counts: Entries = field(default_factory=dict)
    levels: dict[Key, float] = field(default_factory=dict)
    processes: Counter[str] = field(default_factory=Counter)


def read_host(folder: pathlib.Path) -> HostValues:
    """Return the numbers of all processes, as one that began and ended its reading now sees them. Raises OSError."""
    archive_dead(folder)
    files = {path.name: read for path in _files(folder) if (read := _read(path)) is not None}
    archived = _read_archive(folder)
    host = HostValues(counts=_counts_of(archived))
    for name, (lives, entries) in files.items():
        if ("", name) in archived:
            continue
        _merge(host.counts, _counts_of(entries))
        if lives:
            process = name.partition("-")[0]
            host.processes[process] += 1
            for key, numbers in entries.items():
                if isinstance(METRICS.get(key[0]), LevelMetric) and len(numbers) == 1:
                    level = (key[0], process, *key[1:])
                    host.levels[level] = host.levels.get(level, 0.0) + numbers[0]
    return host


def archive_dead(folder: pathlib.Path) -> None:
    """Move what dead processes counted into the archive, unless another process does so now. Raises OSError."""
    with _lock(folder) as has_lock:
        if not has_lock:
            return
        dead = {path: read[1] for path in _files(folder) if (read := _read(path)) is not None and not read[0]}
        if dead:
            archived = _read_archive(folder)
            counts = _counts_of(archived)
            for path, entries in dead.items():
                if ("", path.name) not in archived:
                    _merge(counts, _counts_of(entries))
            names = [*(key for key in archived if key[0] == ""), *(("", path.name) for path in dead)]
            kept: Entries = {name: [] for name in list(dict.fromkeys(names))[-max(REMEMBERED, len(dead)) :]}
            beginning = folder / f".{ARCHIVE}"
            beginning.write_bytes(written(kept | counts))
            beginning.replace(folder / ARCHIVE)
            for path in dead:
                path.unlink(missing_ok=True)
        _remove_left(folder)


@contextlib.contextmanager
def _lock(folder: pathlib.Path) -> Iterator[bool]:
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield True
            return
        yield False
    finally:
        os.close(descriptor)


def _files(folder: pathlib.Path) -> list[pathlib.Path]:
    return [path for path in folder.glob(f"[!.]*{SUFFIX}") if path.name != ARCHIVE]


def _read(path: pathlib.Path) -> tuple[bool, Entries] | None:
    """Return whether the file's process lives, and its entries; None where the file is gone: it was archived."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        # Asked first: what a process counts before it dies is read then.
        lives = _is_locked(descriptor)
        return lives, dict(read_entries(descriptor))
    finally:
        os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        # Shared, so that two that look at once do not take each other for the process.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _read_archive(folder: pathlib.Path) -> Entries:
    read = _read(folder / ARCHIVE)
    return {} if read is None else read[1]


def _counts_of(entries: Mapping[Key, list[float]]) -> Entries:
    """Return the counters and histograms among entries, as far as this version of the code knows their shape."""
    counts = {}
    for key, numbers in entries.items():
        metric = METRICS.get(key[0])
        size = len(metric.buckets) + 2 if isinstance(metric, HistogramMetric) else 1
        if metric is None or isinstance(metric, LevelMetric):
            continue
        if len(numbers) == size and len(key) == len(metric.labels) + 1:
            counts[key] = list(numbers)
    return counts


def _merge(into: Entries, more: Entries) -> None:
    for key, numbers in more.items():
        known = into.get(key)
        into[key] = numbers if known is None else [a + b for a, b in zip(known, numbers, strict=True)]


def _remove_left(folder: pathlib.Path) -> None:
    """Remove files that a process began to make and did not live to finish."""
    for path in folder.glob(f".*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > MAKING_SECONDS:
                path.unlink()
