"""What a worker process keeps alive: its leases' heartbeat, its publisher, its ear for stop signals."""

import threading
from collections.abc import Callable
from typing import Any

import redis
import structlog

from app.streams import stop_signals
from app.streams.hub import Hub
from app.streams.leases import Leases
from app.streams.publisher import Publisher

log = structlog.get_logger(__name__)

STOPPED, SUPERSEDED, HANDED_ON = "stopped", "superseded", "handed_on"
Interrupt = Callable[[str], None]


class WorkerRuntime:
    """One per worker process. Interrupts its runs with STOPPED, SUPERSEDED or HANDED_ON, from another thread."""

    def __init__(self, client: "redis.Redis", settings: dict[str, Any]) -> None:
        self.client = client
        self.leases = Leases(client, settings["LEASE_SECONDS"])
        self.publisher = Publisher(client, settings["MAX_RUN_SECONDS"] + 600, settings["EVENT_LOG_SECONDS"])
        self.hub = Hub(client)
        self.hub.listen(stop_signals.CHANNEL, lambda task_id: self._interrupt(task_id.decode(), STOPPED))
        self.hub.on_reconnect(self.check_stops)
        self._beat = settings["LEASE_SECONDS"] / 4
        self._running: dict[str, Interrupt] = {}
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._keep_alive, name="heartbeat", daemon=True)

    def start(self) -> "WorkerRuntime":
        self.hub.start()
        self._heart.start()
        return self

    def stop(self) -> None:
        self._ended.set()
        self.publisher.stop()
        self.hub.stop()
        self.leases.leave()

    def watch(self, task_id: str, interrupt: Interrupt) -> None:
        """Renew this run's lease from now on, and interrupt it when it has to end."""
        self._running[task_id] = interrupt

    def unwatch(self, task_id: str) -> None:
        self._running.pop(task_id, None)

    def hand_on_all(self) -> None:
        """This process is about to end: give its runs to others."""
        for task_id in list(self._running):
            self._interrupt(task_id, HANDED_ON)

    def check_stops(self) -> None:
        """Look for stop requests that were made while nobody listened."""
        for task_id in stop_signals.stop_requested(self.client, list(self._running)):
            self._interrupt(task_id, STOPPED)

    def _interrupt(self, task_id: str, reason: str) -> None:
        interrupt = self._running.get(task_id)
        if interrupt is not None:
            interrupt(reason)

    def _keep_alive(self) -> None:
        while not self._ended.wait(self._beat):
            try:
                for task_id in self.leases.renew(list(self._running)):
                    log.warning("run.superseded", task_id=task_id)
                    self._interrupt(task_id, SUPERSEDED)
            except (redis.ConnectionError, redis.TimeoutError) as lost:
                log.warning("heartbeat.redis_lost", error=str(lost))
