"""One run: faults by schedule under callers, then rest, then the counts."""

import collections
import heapq
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests

from app.streams.leases import LEASES, OWNERS
from tests.chaos.callers import Caller
from tests.chaos.chaos_stack import ChaosStack
from tests.chaos.faults import Faults
from tests.chaos.ledger import LOST, REFUSED, STUCK, TWICE, Ledger
from tests.chaos.schedule import Fault, plan
from tests.support.stack import Stack

TICK = 0.05
HEALTH_SECONDS = 60.0
# For what was lost with the last fault: its lease has to run out, and a task without one is found once in 5 s.
REST_SECONDS = 30.0
REDELIVERY_SECONDS = 30.0


@dataclass
class Outcome:
    """What a run did and what went wrong; `left` has what stays in Redis, by name."""

    ledger: Ledger
    faults: "collections.Counter[str]"
    exits: "collections.Counter[str]" = field(default_factory=collections.Counter)
    left: dict[str, int] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return not self.ledger.problems and not any(self.left.values()) and self.ledger.answered > 0


class Run:
    """Breaks a stack for some seconds while callers use it."""

    def __init__(self, stack: ChaosStack, codes: Mapping[str, str], seed: int, seconds: float, callers: int) -> None:
        """`codes`: of the apps, by mode."""
        self._stack = stack
        self._faults = Faults(stack)
        self._plan = plan(seed, seconds, self._faults.kinds)
        self._seconds = seconds
        self._outcome = Outcome(Ledger(), collections.Counter())
        ledger = self._outcome.ledger
        self._callers = [Caller([stack.base_url], codes, ledger, seed, number) for number in range(callers)]
        self._began = 0.0
        # When something is due, a number that keeps equal times in order, and what it is.
        self._agenda: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    @property
    def impossible(self) -> dict[str, str]:
        """The kinds of faults that cannot happen on this machine, with the reason."""
        return self._faults.impossible

    def run(self) -> Outcome:
        self._began = time.monotonic()
        for caller in self._callers:
            caller.start()
        for fault in self._plan:
            self._at(fault.at, lambda fault=fault: self._strike(fault))
        self._work_off(self._seconds)
        for caller in self._callers:
            caller.stop()
        self._work_off(float("inf"))
        self._faults.mend_all()
        if not _wait(self._is_well, HEALTH_SECONDS):
            self._outcome.ledger.note(STUCK, f"/health is not well {HEALTH_SECONDS:.0f} s after all was mended")
        self._say("mended; waiting for the last answers")
        for caller in self._callers:
            caller.join()
        self._say("all callers are back; waiting for rest")
        come_to_rest(self._stack, self._outcome)
        self._say("at rest")
        return self._outcome

    def _at(self, seconds: float, act: Callable[[], object]) -> None:
        heapq.heappush(self._agenda, (seconds, next(self._order), act))

    def _work_off(self, until: float) -> None:
        """Do what is on the agenda, at its time."""
        while self._agenda or (until != float("inf") and self._passed < until):
            if self._agenda and self._agenda[0][0] <= self._passed:
                heapq.heappop(self._agenda)[2]()
            elif self._passed >= until:
                return
            else:
                time.sleep(TICK)

    @property
    def _passed(self) -> float:
        return time.monotonic() - self._began

    def _strike(self, fault: Fault) -> None:
        self._outcome.exits.update(self._faults.restart_ended())
        mending = self._faults.strike(fault.kind, fault.chance)
        self._outcome.faults[fault.kind] += 1
        self._say(fault.kind)
        self._at(self._passed + mending.after, mending.mend)

    def _is_well(self) -> bool:
        # One that was asked to end may do so only now.
        self._faults.restart_ended()
        try:
            return bool(self._stack.health())
        except requests.RequestException:
            return False

    def _say(self, what: str) -> None:
        print(f"{self._passed:7.2f}  {what}", flush=True)


def come_to_rest(stack: Stack, outcome: Outcome) -> None:
    """Wait until nothing runs any more, then note what is left and what the rows have."""
    ledger, client = outcome.ledger, stack.redis_client()
    if not _wait(lambda: not stack.unfinished(), REST_SECONDS):
        ledger.note(STUCK, f"left unfinished: {stack.unfinished()}")
    # A killed worker's deliveries stay with the broker until its visibility timeout: let it pass.
    for tag, _ in client.zscan_iter("unacked_index"):
        client.zadd("unacked_index", {tag: 1})
    # A worker looks for them at its start, and then every 100 s.
    stack.start_worker()
    _wait(lambda: not client.hlen("unacked"), REDELIVERY_SECONDS)
    _wait(lambda: not stack.unfinished(), REST_SECONDS)
    outcome.left = {
        "unacked": int(client.hlen("unacked")),
        "leases": int(client.zcard(LEASES)) + int(client.hlen(OWNERS)),
        "queued": int(client.llen("generations")) + int(client.llen("housekeeping")),
    }
    ledger.compare_rows(stack.postgres.url)


def report(outcome: Outcome, impossible: dict[str, str]) -> str:
    """Return the counts of a run, and each thing that went wrong."""
    ledger = outcome.ledger
    lines = ["", *(f"{count:6d}  {kind}" for kind, count in sorted(outcome.faults.items()))]
    lines += [f"{'-':>6}  {kind}: not tried, {reason}" for kind, reason in impossible.items()]
    lines += ["", "times that callers had to come back: " + _counts(ledger.returns)]
    if outcome.exits:
        lines.append("started again behind a kill, or ended by itself: " + _counts(outcome.exits))
    lines += [f"{kind.upper()}  {what}" for kind, what in ledger.problems]
    counts = {
        "faults": sum(outcome.faults.values()),
        "answers": ledger.answered,
        "files": ledger.files,
        **{kind: ledger.count(kind) for kind in (LOST, TWICE, STUCK, REFUSED)},
        **outcome.left,
    }
    return "\n".join([*lines, "", "  ".join(f"{name} {count}" for name, count in counts.items())])


def _counts(counter: "collections.Counter[str]") -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common()) or "none"


def _wait(done: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
