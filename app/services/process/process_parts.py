"""The parts of one process: built once, on first use, shared by all threads, closed when the process ends."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app

Part = TypeVar("Part")
_EXTENSION = "process_parts"


class ProcessParts:
    """The owner of the parts: one part of each class. Making it opens nothing."""

    def __init__(self) -> None:
        # By class. Tests put parts of their own in here.
        self.built: dict[type, Any] = {}
        # Re-entrant, because building one part may ask for another.
        self._lock = threading.RLock()
        self._closing = contextlib.ExitStack()

    def get(self, kind: type[Part], build: Callable[[], Part], close: Callable[[Part], None] | None = None) -> Part:
        """Return the part of a class, built now if nobody has asked for it before.

        `close` is called with the part when the process ends. What `build` raises reaches the caller, and the next
        caller builds again.
        """
        part: Part | None = self.built.get(kind)
        if part is None:
            with self._lock:
                part = self.built.get(kind)
                if part is None:
                    part = self.built[kind] = build()
                    if close is not None:
                        self._closing.callback(close, part)
        return part

    def on_close(self, close: Callable[[], None]) -> None:
        """Call this at the end too, after everything that was added later is closed."""
        with self._lock:
            self._closing.callback(close)

    def close(self) -> None:
        """Close what was built, the last part first. A second call finds nothing to close.

        One part that fails to close does not keep the others open: its error is raised after them.
        """
        with self._lock:
            closing = self._closing.pop_all()
            self.built.clear()
        # Without the lock: a part waits for its threads, and one of them may be asking for another part.
        closing.close()


def init_app(app: Flask) -> ProcessParts:
    """Give an app its empty owner."""
    parts = app.extensions[_EXTENSION] = ProcessParts()
    return parts


def parts_of(app: Flask) -> ProcessParts:
    """Return the owner of an app's parts."""
    parts: ProcessParts = app.extensions[_EXTENSION]
    return parts


def process_parts() -> ProcessParts:
    """Return the owner of the current app's parts."""
    return parts_of(current_app)
