"""Bound how many calls of one model server run at once in this process."""

import contextlib
import threading
from collections import deque

from app.errors import ProviderTimeout
from app.errors.answers import ModelBusy
from app.providers.cancellation import Cancelled, CancelScope

LONGEST_WAIT = 30.0


class CallSlots:
    """Gives out `count` slots in the order in which calls ask for them. Shared by all threads."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._free = count
        self._waiting: deque[threading.Event] = deque()

    def take(self, scope: CancelScope) -> None:
        """Wait for a slot, at most LONGEST_WAIT seconds. Raises ModelBusy, Cancelled."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return
            given = threading.Event()
            self._waiting.append(given)
        # A stop wakes the wait too: whether a slot was given then is known under the lock alone.
        scope.cancellation.add(given.set)
        try:
            # How the wait ended says nothing of the slot, which may have been given at the last moment.
            with contextlib.suppress(ProviderTimeout, Cancelled):
                given.wait(scope.remaining(LONGEST_WAIT))
        finally:
            scope.cancellation.remove(given.set)
            with self._lock:
                has_slot = given not in self._waiting
                if not has_slot:
                    self._waiting.remove(given)
        if not has_slot:
            scope.cancellation.raise_if_cancelled()
            raise ModelBusy
        if scope.cancellation.is_cancelled:
            self.give_back()
            scope.cancellation.raise_if_cancelled()

    def give_back(self) -> None:
        """Hand a slot on to the call that has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
