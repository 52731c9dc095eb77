"""What breaks when: the same seed gives the same schedule."""

import random
from typing import NamedTuple

FIRST_AFTER = 2.0
# Between two faults: some overlap, and most callers end a question between others.
SHORTEST_PAUSE, LONGEST_PAUSE = 1.5, 5.0


class Fault(NamedTuple):
    """One fault: when it begins, in seconds, its kind, and a number from 0 to 1 that decides its details."""

    at: float
    kind: str
    chance: float


def plan(seed: int, seconds: float, kinds: tuple[str, ...]) -> list[Fault]:
    """Return the faults of a run in their order. Each kind comes once before one comes again."""
    numbers = random.Random(seed)
    faults: list[Fault] = []
    waiting: list[str] = []
    at = FIRST_AFTER
    while at < seconds:
        if not waiting:
            waiting = list(kinds)
            numbers.shuffle(waiting)
        faults.append(Fault(round(at, 2), waiting.pop(), numbers.random()))
        at += numbers.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)
    return faults
