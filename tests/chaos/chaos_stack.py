"""The whole product, with all four kinds of processes: its data on a small disk, a clock for each process."""

import os
import pathlib
import signal
import time
from collections.abc import Mapping
from typing import Self

from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import CannotStart
from app.embedded.redis import EmbeddedRedis
from tests.chaos.clock import Clocks
from tests.chaos.disk import Disk
from tests.support.child import Child
from tests.support.stack import Stack

ENVIRONMENT = {
    "FORM_IP_LIMIT": "0",
    "FORM_SCAN_SECONDS": "1",
    "PING_SECONDS": "2",
    # Links outlast what a clock is moved by.
    "FILE_LINK_SECONDS": "86400",
    "WORKER_THREADS": "50",
    "LOG_LEVEL": "WARNING",
}
WORKERS = 2
RECOVERY_SECONDS = 30.0


class ClockedRedis(EmbeddedRedis):
    """Redis under a clock that can be moved."""

    def __init__(self, directory: pathlib.Path, clocks: Clocks) -> None:
        super().__init__(directory)
        self._clocks = clocks

    def start(self) -> Self:
        changes = self._clocks.start("redis")
        os.environ.update(changes)
        try:
            return super().start()
        finally:
            for name in changes:
                del os.environ[name]


class ChaosStack(Stack):
    """A stack whose parts can be broken and mended. Servers must be started by the main thread, with which they end."""

    def __init__(self, directory: pathlib.Path, environment: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, 2, WORKERS, environment={**ENVIRONMENT, **(environment or {})})
        self.disk = Disk(directory / "disk")
        self.housekeeping: Child | None = None
        self.clocks = Clocks(directory)
        self.redis = ClockedRedis(directory / "redis", self.clocks)
        self.postgres = EmbeddedPostgres(self.disk.folder / "postgres", log=directory / "postgres.log")
        self._extra["STORAGE_URL"] = f"file://{self.disk.folder}/files"

    def start(self) -> Self:
        super().start()
        self.start_housekeeping()
        self.start_beat()
        return self

    def stop(self) -> None:
        if self.housekeeping is not None:
            self.housekeeping.stop()
        super().stop()
        self.disk.release()

    def start_housekeeping(self) -> None:
        line = ["celery", "-A", "celery_worker", "worker", "-P", "threads", "-n", "housekeeping@stack"]
        line += ["--loglevel", "WARNING", "-c", "8", "-Q", "housekeeping", "--without-gossip", "--without-mingle"]
        self.housekeeping = self._child("housekeeping", *line)

    def kill_redis(self) -> None:
        os.kill(self.redis.pid, signal.SIGKILL)
        self.redis.stop()

    def crash_postgres(self, number: signal.Signals) -> None:
        """SIGQUIT is PostgreSQL's immediate shutdown, SIGKILL takes its first process alone."""
        os.kill(self.postgres.pid, number)
        self.postgres.stop()

    def start_postgres(self) -> None:
        """Start PostgreSQL behind a crash: sessions of the old server may still be about to end."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while True:
            try:
                self.postgres.start()
                return
            except CannotStart:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def processes(self) -> dict[str, Child | None]:
        """The product's processes that should run, by a name for each."""
        named = {f"worker {number}": child for number, child in enumerate(self.workers)}
        return {**named, "web": self.web, "housekeeping": self.housekeeping, "beat": self.beat}

    def _environment(self, kind: str) -> dict[str, str]:
        return self.env | self.clocks.start(kind)
