"""What a worker process keeps running beside its tasks: heartbeat, publisher, and the subscription to stop signals."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Self

import redis
import structlog

from app.metrics.names import REDIS_RECONNECTS, RUNNING
from app.streams import signals
from app.streams.channel import RedisAway
from app.streams.hub import Hub
from app.streams.leases import Leases
from app.streams.publisher import Publisher

log = structlog.get_logger(__name__)

STOPPED, SUPERSEDED, HANDED_OVER = "stopped", "superseded", "handed_over"
HEARTBEATS_PER_LEASE = 4
STOP_SECONDS = 5.0

# Ends a task's work from another thread. Called with STOPPED, SUPERSEDED or HANDED_OVER.
Interrupt = Callable[[str], None]


class WorkerRuntime:
    """Renews the leases of a worker process's tasks, and interrupts those that have to end. One per process."""

    def __init__(self, client: "redis.Redis", settings: dict[str, Any]) -> None:
        self.client = client
        self.leases = Leases(client, settings["LEASE_SECONDS"])
        # A log outlives the longest task, so that a reader who comes late still finds it.
        self.publisher = Publisher(client, settings["MAX_RUN_SECONDS"] + 600, settings["EVENT_LOG_SECONDS"])
        self.hub = Hub(client)
        self.hub.listen(signals.STOPS, lambda task_id: self._interrupt(task_id.decode(), STOPPED))
        self.hub.on_reconnect(self.check_stops)
        # Several heartbeats to a lease: one that is late or lost costs no task.
        self._heartbeat_seconds = settings["LEASE_SECONDS"] / HEARTBEATS_PER_LEASE
        self._interrupts: dict[str, Interrupt] = {}
        self._stopped = threading.Event()
        self._heartbeat = threading.Thread(target=self._renew_leases, name="heartbeat", daemon=True)

    def start(self) -> Self:
        self.publisher.start()
        self.hub.start()
        self._heartbeat.start()
        return self

    def stop(self) -> None:
        """Send what is waiting, then end all threads (contract: app/streams/__init__.py)."""
        self._stopped.set()
        self.publisher.stop()
        self.hub.stop()
        if self._heartbeat.is_alive():
            self._heartbeat.join(STOP_SECONDS)
        # Behind the last heartbeat, which would list the process again. Without Redis it leaves the list by its age.
        with contextlib.suppress(*RedisAway):
            self.leases.leave()

    def add_task(self, task_id: str, interrupt: Interrupt) -> None:
        """Renew this task's lease from now on, and interrupt it when it has to end."""
        self._interrupts[task_id] = interrupt
        RUNNING.set(len(self._interrupts))

    def remove_task(self, task_id: str) -> None:
        self._interrupts.pop(task_id, None)
        RUNNING.set(len(self._interrupts))

    def hand_over_all(self) -> None:
        """Interrupt all tasks, so that other workers take them: this process is about to end."""
        for task_id in list(self._interrupts):
            self._interrupt(task_id, HANDED_OVER)

    def check_stops(self) -> None:
        """Look for stop requests that were made while the subscription was lost."""
        for task_id in signals.stops_requested(self.client, list(self._interrupts)):
            self._interrupt(task_id, STOPPED)

    def _interrupt(self, task_id: str, reason: str) -> None:
        interrupt = self._interrupts.get(task_id)
        if interrupt is not None:
            interrupt(reason)

    def _renew_leases(self) -> None:
        while not self._stopped.wait(self._heartbeat_seconds):
            try:
                for task_id in self.leases.renew(list(self._interrupts)):
                    log.warning("run.superseded", task_id=task_id)
                    self._interrupt(task_id, SUPERSEDED)
            # A full disk, a full memory or a replica in its place lets it refuse writes. That passes.
            except redis.RedisError as lost:
                log.warning("heartbeat.redis_lost", error=str(lost))
                REDIS_RECONNECTS.add("heartbeat")
