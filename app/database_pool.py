"""A pool of PostgreSQL connections that closes those that nobody has needed for a while."""

import threading
import time
from typing import Any

from sqlalchemy import QueuePool
from sqlalchemy.pool import ConnectionPoolEntry

# What is kept open, and how long the others may be idle.
KEPT, IDLE_SECONDS = 1, 15.0
LOOK_SECONDS = 5.0
_IDLE_SINCE = "idle_since"


class ShrinkingPool(QueuePool):
    """A QueuePool that shrinks to KEPT connections when less is to do.

    It has to be made with `use_lifo`: those used last are used next, so that the others grow idle. A thread (under
    gevent a greenlet) looks at them, and exists only while more than KEPT are idle. It closes what lies in the pool
    alone: whoever takes a connection takes it out, under the same lock.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._shrinking = threading.Lock()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        record.record_info[_IDLE_SINCE] = time.monotonic()  # type: ignore[index]  # None for no record that was used
        super()._do_return_conn(record)
        if self.checkedin() > KEPT and self._shrinking.acquire(blocking=False):
            threading.Thread(target=self._shrink, name="database-pool", daemon=True).start()

    def _shrink(self) -> None:
        try:
            while self.checkedin() > KEPT:
                time.sleep(LOOK_SECONDS)
                while (record := self._longest_idle()) is not None:
                    try:
                        record.close()
                    finally:
                        self._dec_overflow()
        finally:
            # What is returned between the last look and this is looked at after the next return.
            self._shrinking.release()

    def _longest_idle(self) -> ConnectionPoolEntry | None:
        """Take a connection out of the pool that was idle for too long; None where there is none."""
        idle: Any = self._pool
        with idle.mutex:
            if len(idle.queue) <= KEPT:
                return None
            oldest: ConnectionPoolEntry = idle.queue[0]
            since = (oldest.record_info or {}).get(_IDLE_SINCE, 0.0)
            if time.monotonic() - since < IDLE_SECONDS:
                return None
            idle.queue.popleft()
            return oldest
