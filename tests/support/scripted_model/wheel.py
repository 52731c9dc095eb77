"""One timer for all streams: a thousand at fifty beats a second cost the loop one wake-up every two milliseconds."""

import asyncio
import heapq
import math
from collections.abc import Callable

RESOLUTION = 0.002


class TimerWheel:
    """Calls functions at given times of the loop's clock, those of one slot together."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._slots: dict[int, list[Callable[[], None]]] = {}
        self._order: list[int] = []
        self._timer: asyncio.TimerHandle | None = None

    def call_at(self, when: float, function: Callable[[], None]) -> None:
        slot = math.ceil(when / RESOLUTION)
        functions = self._slots.get(slot)
        if functions is not None:
            functions.append(function)
            return
        self._slots[slot] = [function]
        heapq.heappush(self._order, slot)
        if self._order[0] == slot:
            self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._order[0] * RESOLUTION, self._turn) if self._order else None

    def _turn(self) -> None:
        self._timer = None
        now = math.floor(self._loop.time() / RESOLUTION)
        due = []
        while self._order and self._order[0] <= now:
            due.append(self._slots.pop(heapq.heappop(self._order)))
        for functions in due:
            for function in functions:
                function()
        self._arm()
