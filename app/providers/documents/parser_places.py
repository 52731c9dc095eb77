"""Bound how many document parsers run at once on this host, for an app, and for an end user.

All processes of this user share as many places as there are processors. A place is a lock on a file, which the kernel
gives back when the process that holds it dies. So is the share of an end user and that of an app, which are taken
before a place: documents that take long leave places to others, whichever worker process reads them.
"""

import contextlib
import fcntl
import os
import pathlib
import threading
import time
import zlib
from collections.abc import Iterator

from app.metrics.names import PARSERS
from app.providers.cancellation import Cancellation
from app.providers.work_owner import FRONTDESK, WorkOwner

# How late a stop, a deadline or a free place is noticed.
_POLL_SECONDS = 0.05
# Owners share so many files, whose number would grow else; two that meet in one have a share together.
_OWNER_FILES = 1_024
# One thread of a process looks for a free place, the others wait for their turn to look.
_looking = threading.Lock()


class NoPlaceInTime(Exception):
    """All places were taken until the caller's time was over."""


def most_parsers() -> int:
    """Return how many parsers may run at once: one for each processor that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def place(
    folder: pathlib.Path, seconds: float, cancellation: Cancellation, owner: WorkOwner = FRONTDESK
) -> Iterator[None]:
    """Hold one of the places, whose files are in a folder; wait for a free one at most so many seconds.

    An end user has a quarter of the places at most, an app three quarters, but at least one and two. Raises
    NoPlaceInTime, Cancelled, OSError.
    """
    most, deadline = most_parsers(), time.monotonic() + seconds
    shares = {
        f"end-user-{_number(owner.app + owner.end_user)}": max(1, most // 4),
        f"app-{_number(owner.app)}": max(2, most * 3 // 4),
    }
    with contextlib.ExitStack() as held:
        # All take them in this order, so that no two wait for each other.
        for name, share in shares.items() if owner != FRONTDESK else ():
            held.callback(os.close, _lock(folder, name, share, deadline, cancellation))
        while not _looking.acquire(timeout=_POLL_SECONDS):
            _raise_if_over(deadline, cancellation)
        try:
            held.callback(os.close, _lock(folder, "place", most, deadline, cancellation))
        finally:
            _looking.release()
        PARSERS.change(1)
        held.callback(PARSERS.change, -1)
        yield


def _number(owner: str) -> int:
    return zlib.crc32(owner.encode()) % _OWNER_FILES


def _lock(folder: pathlib.Path, name: str, count: int, deadline: float, cancellation: Cancellation) -> int:
    """Return the descriptor of one of `count` files, locked; closing it gives the lock back."""
    while True:
        for number in range(count):
            descriptor = _lock_file(folder / f"{name}-{number}")
            if descriptor is not None:
                return descriptor
        _raise_if_over(deadline, cancellation)
        cancellation.wait(_POLL_SECONDS)


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
