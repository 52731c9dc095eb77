"""Share the places at work in the sandbox: in turn between apps, and within an app between its end users.

An end user has a quarter of the places at most and an app three quarters, so that neither can keep all others waiting
with code that takes long. Within these bounds the app that got a place longest ago is next, and in it the end user.
"""

import collections
import contextlib
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.metrics.names import SANDBOX_LIMIT, SANDBOX_PLACES
from app.providers.cancellation import Cancellation
from app.providers.sandbox.messages import SandboxFailed
from app.providers.work_owner import WorkOwner

# More than processors: the kernel shares these, and a short call does not wait for long ones to end.
PLACES = max(8, 4 * (os.cpu_count() or 1))
PATIENCE_SECONDS = 300.0


@dataclass(eq=False)
class _Waiting:
    owner: WorkOwner
    called: threading.Event = field(default_factory=threading.Event)


class FairPlaces:
    """Hands out a bounded number of places at work. Shared by all threads."""

    def __init__(self, most: int = PLACES) -> None:
        """`most`: places in all, at least four."""
        self._most, self._most_of_app, self._most_of_end_user = most, most * 3 // 4, most // 4
        SANDBOX_LIMIT.set(most)
        self._lock = threading.Lock()
        self._taken: collections.Counter[str | WorkOwner] = collections.Counter()
        self._used = 0
        # In the order in which they are next: app → end user → those that wait, the first one first.
        self._apps: dict[str, dict[WorkOwner, collections.deque[_Waiting]]] = {}

    @contextlib.contextmanager
    def taken(self, owner: WorkOwner, cancellation: Cancellation, until: float = float("inf")) -> Iterator[None]:
        """Wait for a place and hold it.

        Raises Cancelled; SandboxFailed after PATIENCE_SECONDS, or at `until` in monotonic seconds if that is earlier.
        """
        waiting = _Waiting(owner)
        with self._lock:
            self._apps.setdefault(owner.app, {}).setdefault(owner, collections.deque()).append(waiting)
            self._call()
        state = "waiting"
        SANDBOX_PLACES.change(1, state)
        try:
            self._wait(waiting, cancellation, min(until, time.monotonic() + PATIENCE_SECONDS))
            SANDBOX_PLACES.change(-1, state)
            state = "used"
            SANDBOX_PLACES.change(1, state)
            yield
        finally:
            self._leave(waiting)
            SANDBOX_PLACES.change(-1, state)

    @property
    def waiting(self) -> int:
        """How many calls wait for a place."""
        with self._lock:
            return sum(len(queue) for end_users in self._apps.values() for queue in end_users.values())

    def _wait(self, waiting: _Waiting, cancellation: Cancellation, until: float) -> None:
        cancellation.add(waiting.called.set)
        try:
            # A stop before it was registered is seen by the check.
            cancellation.raise_if_cancelled()
            called = waiting.called.wait(max(0.0, until - time.monotonic()))
            cancellation.raise_if_cancelled()
        finally:
            cancellation.remove(waiting.called.set)
        if not called:
            raise SandboxFailed("The sandbox is busy: the code waited too long for its turn. Try again later.")

    def _leave(self, waiting: _Waiting) -> None:
        """Give the place back; or, of one that has none yet, wait no more."""
        owner = waiting.owner
        with self._lock:
            queue = self._apps.get(owner.app, {}).get(owner, ())
            if waiting in queue:
                self._apps[owner.app][owner].remove(waiting)
                self._tidy(owner)
                return
            self._used -= 1
            for holder in (owner.app, owner):
                self._taken[holder] -= 1
                if not self._taken[holder]:
                    del self._taken[holder]
            self._call()

    def _call(self) -> None:
        """Give the free places to those that are next."""
        while self._used < self._most:
            waiting = self._next()
            if waiting is None:
                return
            self._used += 1
            self._taken[waiting.owner.app] += 1
            self._taken[waiting.owner] += 1
            waiting.called.set()

    def _next(self) -> _Waiting | None:
        """Take out the one that is next; None if nobody waits who may have a place."""
        for app, end_users in self._apps.items():
            if self._taken[app] >= self._most_of_app:
                continue
            for owner, queue in end_users.items():
                if self._taken[owner] < self._most_of_end_user:
                    waiting = queue.popleft()
                    # Both go to the end of their rows.
                    end_users[owner] = end_users.pop(owner)
                    self._apps[app] = self._apps.pop(app)
                    self._tidy(owner)
                    return waiting
        return None

    def _tidy(self, owner: WorkOwner) -> None:
        end_users = self._apps[owner.app]
        if not end_users[owner]:
            del end_users[owner]
        if not end_users:
            del self._apps[owner.app]
