"""How a model call is stopped from outside, and how long it may wait."""

import math
import select
import socket
import threading
import time
from collections.abc import Callable

from app.errors import ProviderTimeout


class Cancelled(Exception):
    """The caller stopped the call. No AppError: it is nobody's failure, and nobody is told of one."""


class Cancellation:
    """A stop that one thread asks for and another obeys at once, wherever it waits. May serve several calls."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def is_cancelled(self) -> bool:
        return self._event.is_set()

    def cancel(self) -> None:
        """Stop every call that uses this, now and later. Safe from any thread, and more than once."""
        self._event.set()
        with self._lock:
            for callback in self._callbacks:
                callback()

    def raise_if_cancelled(self) -> None:
        if self._event.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> None:
        """Sleep so long. Raises Cancelled as soon as it is."""
        if self._event.wait(seconds):
            raise Cancelled

    def add(self, callback: Callable[[], None]) -> None:
        """Have a quick function called by `cancel()`. One added too late is not called: look at `is_cancelled` after adding."""
        with self._lock:
            self._callbacks.append(callback)

    def remove(self, callback: Callable[[], None]) -> None:
        """Once this returns, the function neither runs nor will."""
        with self._lock:
            self._callbacks.remove(callback)


class Patience:
    """The waits of one call: none goes past its deadline (monotonic seconds) or its cancellation."""

    def __init__(self, cancellation: Cancellation, deadline: float | None = None) -> None:
        self.cancellation = cancellation
        self._deadline = math.inf if deadline is None else deadline

    def remaining(self, seconds: float) -> float:
        """At most so many seconds. Raises Cancelled, or ProviderTimeout if there are none left."""
        self.cancellation.raise_if_cancelled()
        left = min(seconds, self._deadline - time.monotonic())
        if left <= 0:
            raise ProviderTimeout
        return left

    def pause(self, connected: socket.socket, seconds: float) -> None:
        """Sleep, less if the connection breaks. Raises Cancelled if a stop shuts the socket, ProviderTimeout past the deadline."""
        # Arriving data does not end a poll for no events, a shut socket does: half the price of waiting for an Event.
        poller = select.poll()
        poller.register(connected, 0)
        poller.poll(math.ceil(self.remaining(seconds) * 1000))
        self.cancellation.raise_if_cancelled()

    def wait_for(self, readiness: socket.socket, events: int, seconds: float) -> None:
        """Wait for poll events of a socket. Raises Cancelled (if the cancellation shuts that socket), ProviderTimeout."""
        poller = select.poll()
        poller.register(readiness, events)
        ready = poller.poll(math.ceil(self.remaining(seconds) * 1000))
        self.cancellation.raise_if_cancelled()
        if not ready:
            raise ProviderTimeout
