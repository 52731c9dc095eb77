"""The faults: each breaks something now, and says what mends it and when."""

import contextlib
import random
import signal
from collections.abc import Callable
from typing import NamedTuple

import psutil
import redis

from tests.chaos.chaos_stack import WORKERS, ChaosStack
from tests.support.child import Child

# The product's default is 3: a worker that is frozen for longer has lost its answers.
SHORTEST_FREEZE, LONGEST_FREEZE = 4.0, 7.0


class Mending(NamedTuple):
    """What mends a fault, and how many seconds after it."""

    after: float
    mend: Callable[[], object]


NOTHING = Mending(0, lambda: None)


class Faults:
    """The faults of one stack, by kind. Used by the main thread, with which the servers that it starts end.

    `kinds`: those that can happen here; `impossible`: the others, with the reason.
    """

    def __init__(self, stack: ChaosStack) -> None:
        self._stack = stack
        self._kinds: dict[str, Callable[[random.Random], Mending]] = {
            "a worker killed": self._kill_worker,
            "a worker asked to end": self._end_worker,
            "a worker frozen": self._freeze_worker,
            "all workers killed": self._kill_all_workers,
            "web killed": self._kill_web,
            "a web worker killed": self._kill_web_worker,
            "a web worker frozen": self._freeze_web_worker,
            "housekeeping killed": self._kill_housekeeping,
            "beat killed": self._kill_beat,
            "Redis emptied": self._empty_redis,
            "Redis killed": self._kill_redis,
            "Redis frozen": self._freeze_redis,
            "PostgreSQL shut down at once": self._shut_postgres_down,
            "PostgreSQL killed": self._kill_postgres,
            "disk full": self._fill_disk,
            "the clock of a worker moved": self._move_worker_clock,
            "the clock of web moved": self._move_web_clock,
            "the clock of Redis moved": self._move_redis_clock,
        }
        self.impossible: dict[str, str] = {}
        if not stack.disk.is_small:
            self.impossible["disk full"] = "no file system of its own can be mounted here"
        if not stack.clocks.can_move:
            for kind in self._kinds:
                if "clock" in kind:
                    self.impossible[kind] = "there is no C compiler (cc)"

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in self._kinds if kind not in self.impossible)

    def strike(self, kind: str, chance: float) -> Mending:
        """Let a fault happen; `chance` decides its details."""
        return self._kinds[kind](random.Random(chance))

    def mend_all(self) -> None:
        """Leave nothing broken behind the last fault: what ended is started, what is frozen goes on."""
        stack = self._stack
        stack.disk.free()
        if not stack.redis.running:
            stack.redis.start()
        if not stack.postgres.running:
            stack.start_postgres()
        self.restart_ended()
        if stack.clocks.can_move:
            for kind in ("web", "redis", *(worker.name.partition("@")[0] for worker in stack.workers)):
                stack.clocks.move(kind, 0)

    def restart_ended(self) -> list[str]:
        """Start what has ended, as an operator's supervisor does; returns the names."""
        stack, started = self._stack, []
        for worker in [worker for worker in stack.workers if not worker.alive]:
            stack.workers.remove(worker)
        while len(stack.workers) < WORKERS:
            started.append(stack.start_worker().name)
        for name, child, start in (
            ("web", stack.web, stack.start_web),
            ("housekeeping", stack.housekeeping, stack.start_housekeeping),
            ("beat", stack.beat, stack.start_beat),
        ):
            if child is not None and not child.alive:
                start()
                started.append(name)
        return started

    def _restart(self, after: float) -> Mending:
        return Mending(after, self.restart_ended)

    def _any_worker(self, chance: random.Random) -> Child | None:
        living = [worker for worker in self._stack.workers if worker.alive]
        return chance.choice(living) if living else None

    def _kill_worker(self, chance: random.Random) -> Mending:
        worker = self._any_worker(chance)
        if worker is not None:
            worker.kill()
        return self._restart(chance.uniform(0, 3))

    def _kill_all_workers(self, chance: random.Random) -> Mending:
        for worker in self._stack.workers:
            worker.kill()
        return self._restart(chance.uniform(0, 2))

    def _end_worker(self, chance: random.Random) -> Mending:
        worker = self._any_worker(chance)
        if worker is None:
            return NOTHING
        worker.signal(signal.SIGTERM)
        return self._restart(chance.uniform(3, 6))

    def _freeze_worker(self, chance: random.Random) -> Mending:
        worker = self._any_worker(chance)
        if worker is None:
            return NOTHING
        worker.signal(signal.SIGSTOP)
        return Mending(chance.uniform(SHORTEST_FREEZE, LONGEST_FREEZE), lambda: worker.signal(signal.SIGCONT))

    def _kill_web(self, chance: random.Random) -> Mending:
        self._stack.kill_web()
        return self._restart(chance.uniform(0, 1))

    def _kill_web_worker(self, chance: random.Random) -> Mending:
        process = self._any_web_worker(chance)
        if process is not None:
            process.kill()
        return NOTHING

    def _freeze_web_worker(self, chance: random.Random) -> Mending:
        process = self._any_web_worker(chance)
        if process is None:
            return NOTHING
        process.suspend()

        def wake() -> None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

        return Mending(chance.uniform(1, SHORTEST_FREEZE), wake)

    def _any_web_worker(self, chance: random.Random) -> psutil.Process | None:
        web = self._stack.web
        assert web is not None
        children = psutil.Process(web.pid).children() if web.alive else []
        return chance.choice(children) if children else None

    def _kill_housekeeping(self, chance: random.Random) -> Mending:
        assert self._stack.housekeeping is not None
        self._stack.housekeeping.kill()
        return self._restart(chance.uniform(0, 3))

    def _kill_beat(self, chance: random.Random) -> Mending:
        self._stack.kill_beat()
        return self._restart(chance.uniform(0, 3))

    def _empty_redis(self, chance: random.Random) -> Mending:
        with contextlib.suppress(redis.RedisError):
            self._stack.redis_client().flushall()
        return NOTHING

    def _kill_redis(self, chance: random.Random) -> Mending:
        self._stack.kill_redis()
        return Mending(chance.uniform(0, 2), self._start_redis)

    def _start_redis(self) -> None:
        if not self._stack.redis.running:
            self._stack.redis.start()

    def _freeze_redis(self, chance: random.Random) -> Mending:
        if not self._stack.redis.running:
            return NOTHING
        process = psutil.Process(self._stack.redis.pid)
        process.suspend()

        def wake() -> None:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

        return Mending(chance.uniform(1, SHORTEST_FREEZE), wake)

    def _shut_postgres_down(self, chance: random.Random) -> Mending:
        return self._crash_postgres(signal.SIGQUIT, chance)

    def _kill_postgres(self, chance: random.Random) -> Mending:
        return self._crash_postgres(signal.SIGKILL, chance)

    def _crash_postgres(self, number: signal.Signals, chance: random.Random) -> Mending:
        if self._stack.postgres.running:
            self._stack.crash_postgres(number)
        return Mending(chance.uniform(0, 2), self._start_postgres)

    def _start_postgres(self) -> None:
        # Its start would need room on the disk.
        self._stack.disk.free()
        if not self._stack.postgres.running:
            self._stack.start_postgres()

    def _fill_disk(self, chance: random.Random) -> Mending:
        self._stack.disk.fill()
        # PostgreSQL may have ended for want of room.
        return Mending(chance.uniform(1, 3), self._start_postgres)

    def _move_worker_clock(self, chance: random.Random) -> Mending:
        worker = self._any_worker(chance)
        return NOTHING if worker is None else self._move_clock(worker.name.partition("@")[0], chance)

    def _move_web_clock(self, chance: random.Random) -> Mending:
        return self._move_clock("web", chance)

    def _move_redis_clock(self, chance: random.Random) -> Mending:
        return self._move_clock("redis", chance)

    def _move_clock(self, kind: str, chance: random.Random) -> Mending:
        seconds = chance.choice((-3600, -60, 60, 3600))
        self._stack.clocks.move(kind, seconds)
        return Mending(chance.uniform(3, 6), lambda: self._stack.clocks.move(kind, 0))
