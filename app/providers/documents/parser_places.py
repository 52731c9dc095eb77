"""Bound how many document parsers run at once on this host.

All processes of this user share as many places as there are processors. A place is a lock on a file, which the kernel
gives back when the process that holds it dies.
"""

import contextlib
import fcntl
import os
import pathlib
import threading
import time
from collections.abc import Iterator

from app.providers.cancellation import Cancellation

# How late a stop, a deadline or a free place is noticed.
_POLL_SECONDS = 0.05
# One thread of a process looks for a free place, the others wait for their turn to look.
_looking = threading.Lock()


class NoPlaceInTime(Exception):
    """All places were taken until the caller's time was over."""


def most_parsers() -> int:
    """Return how many parsers may run at once: one for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def place(folder: pathlib.Path, seconds: float, cancellation: Cancellation) -> Iterator[None]:
    """Hold one of the places, whose files are in a folder; wait for a free one at most so many seconds.

    Raises NoPlaceInTime, Cancelled, OSError.
    """
    descriptor = _lock(folder, time.monotonic() + seconds, cancellation)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: pathlib.Path, deadline: float, cancellation: Cancellation) -> int:
    """Return the descriptor of a locked file; closing it gives the place back."""
    while not _looking.acquire(timeout=_POLL_SECONDS):
        _raise_if_over(deadline, cancellation)
    try:
        while True:
            for number in range(most_parsers()):
                descriptor = _lock_file(folder / f"place-{number}")
                if descriptor is not None:
                    return descriptor
            _raise_if_over(deadline, cancellation)
            cancellation.wait(_POLL_SECONDS)
    finally:
        _looking.release()


def _lock_file(path: pathlib.Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _raise_if_over(deadline: float, cancellation: Cancellation) -> None:
    cancellation.raise_if_cancelled()
    if time.monotonic() > deadline:
        raise NoPlaceInTime
