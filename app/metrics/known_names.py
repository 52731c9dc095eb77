"""Which values of a label have series of their own on this host: the first ones, up to a number that bounds them all.

The list is a file that all processes share, so that they agree, and a value keeps its series when they start again.
"""

import contextlib
import fcntl
import os
import pathlib
import time

OTHER = "other"
# Of one label. With more of them, the process that renders all series for a scrape would take more than 2 MiB.
MOST = 50
LONGEST = 64
ATTEMPTS, PAUSE_SECONDS = 50, 0.001


class KnownNames:
    """The known values of one label. Used under the lock of ProcessValues."""

    def __init__(self, folder: pathlib.Path, label: str) -> None:
        self._file = folder / f"{label}.names"
        self.known: set[str] = set()

    def admit(self, value: str) -> str:
        """Return the value where it has series of its own, or may have from now on, else OTHER."""
        value = value.replace("\n", " ").replace("\0", "")[:LONGEST] or OTHER
        if value in self.known or value == OTHER:
            return value
        if len(self.known) >= MOST:
            return OTHER
        with contextlib.suppress(OSError):
            self._add(value)
        return value if value in self.known else OTHER

    def _add(self, value: str) -> None:
        """Read the list, and write the value to its end where there is room. Raises OSError."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor)
            # A line without its end is what a killed process leaves.
            lines = os.pread(descriptor, MOST * (4 * LONGEST + 1) * 2, 0).decode("utf-8", "replace").split("\n")
            self.known.update(line for line in lines[:-1][:MOST] if line)
            if value not in self.known and len(self.known) < MOST:
                os.write(descriptor, f"{'' if not lines[-1] else chr(10)}{value}\n".encode())
                self.known.add(value)
        finally:
            os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file; another process has it for some microseconds at most, unless it was stopped. Raises OSError."""
    for _ in range(ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        else:
            return
    raise TimeoutError("the list of names is locked")
