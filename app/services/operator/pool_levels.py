"""Record how much of its pools a process uses, every other second: a count at each use would cost each statement."""

import threading
from typing import Self

from flask import Flask

from app.extensions import database_connections
from app.metrics.names import DATABASE_CONNECTIONS, DATABASE_LIMIT

SAMPLE_SECONDS = 2.0
STOP_SECONDS = 5.0


class PoolLevels:
    """Samples the pools in a thread of its own (contract: app/streams/__init__.py)."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pool levels", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def sample(self) -> None:
        """Record how much is used now."""
        for pool, used in database_connections(self._app).items():
            DATABASE_CONNECTIONS.set(used, pool)
            DATABASE_LIMIT.set(self._app.config["DATABASE_POOL_SIZE"], pool)

    def _run(self) -> None:
        self.sample()
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.sample()
