"""Stop a call from another thread, and bound how long it may wait."""

import math
import select
import socket
import threading
import time
from collections.abc import Callable

from app.errors import ProviderTimeout


class Cancelled(Exception):
    """The caller stopped the call. Not an AppError: a stop is no failure, and no client is told of it as one."""


class Cancellation:
    """A token by which one thread stops the calls of others at once, wherever they wait. May serve several calls."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._event.is_set()

    def cancel(self) -> None:
        """Stop every call that uses this, now and later. Safe from any thread, and more than once."""
        # The flag before the callbacks: a call that adds its callback too late finds the flag set.
        self._event.set()
        with self._lock:
            for callback in self._callbacks:
                callback()

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled once `cancel` was called."""
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep for so many seconds. Raises Cancelled as soon as `cancel` is called."""
        if self._event.wait(seconds):
            raise Cancelled

    def add(self, callback: Callable[[], None]) -> None:
        """Register a function for `cancel` to call; it must be quick.

        One that is added after `cancel` is never called: check `is_cancelled` after adding.
        """
        with self._lock:
            self._callbacks.append(callback)

    def remove(self, callback: Callable[[], None]) -> None:
        """Remove a registered function; once this returns, it is not running and will not run."""
        # `cancel` holds the same lock while it calls. A caller may therefore close the socket that its callback uses.
        with self._lock:
            self._callbacks.remove(callback)


class CancelScope:
    """The limits of one call: every wait in it ends at its deadline (monotonic seconds) or at its cancellation."""

    def __init__(self, cancellation: Cancellation, deadline: float | None = None) -> None:
        self.cancellation = cancellation
        self._deadline = math.inf if deadline is None else deadline

    def has_time(self, seconds: float = 0.0) -> bool:
        """Return whether the deadline is more than so many seconds away."""
        return time.monotonic() + seconds < self._deadline

    def remaining(self, seconds: float) -> float:
        """Return so many seconds, or what is left until the deadline. Raises Cancelled, ProviderTimeout if none is."""
        self.cancellation.raise_if_cancelled()
        left = min(seconds, self._deadline - time.monotonic())
        if left <= 0:
            raise ProviderTimeout
        return left

    def pause(self, connected: socket.socket, seconds: float) -> None:
        """Sleep, less if the connection breaks.

        Raises Cancelled if the cancellation shuts the socket, ProviderTimeout past the deadline.
        """
        # A poll for no events is ended by a shut socket, but not by arriving data. It costs half of a wait on an Event.
        poller = select.poll()
        poller.register(connected, 0)
        poller.poll(math.ceil(self.remaining(seconds) * 1000))
        self.cancellation.raise_if_cancelled()

    def wait_for(self, connected: socket.socket, events: int, seconds: float) -> None:
        """Wait for poll events of a socket.

        Raises Cancelled if the cancellation shuts the socket, ProviderTimeout after so many seconds or at the deadline.
        """
        # poll, not select: a busy worker's descriptors go beyond select's limit of 1,024.
        poller = select.poll()
        poller.register(connected, events)
        ready = poller.poll(math.ceil(self.remaining(seconds) * 1000))
        # First, for a socket that a stop has shut is ready too.
        self.cancellation.raise_if_cancelled()
        if not ready:
            raise ProviderTimeout
