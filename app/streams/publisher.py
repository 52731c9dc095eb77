"""The writing side of channels: one thread and one socket send the events of all tasks in the process.

A worker's hundred answers cause some thousand events a second. Sent one by one by their own threads, each would pay a
round trip and a change of threads; here those that wait are sent in one write and answered in one read.
"""

import queue
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

import redis
import structlog

from app.metrics.names import EVENTS_LOST, REDIS_RECONNECTS
from app.streams import channel

log = structlog.get_logger(__name__)

BATCH = 500
STOP_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class Superseded(Exception):
    """Another worker has taken the task over: this one must stop and store nothing."""


@dataclass(frozen=True)
class OutgoingEvent:
    """One event on its way to Redis. `place_of`: the app at whose limit the task gives its place back, "" for none."""

    writer: "EventWriter"
    number: int
    data: bytes
    final: bool
    place_of: str


class EventWriter:
    """Numbers the events of one task and queues them for the publisher. Used by one thread.

    `number`: of the last event, 0 where nothing of the task was ever published. `log_was_lost` tells that Redis has
    forgotten earlier events, `ended_unheard` that the final event was sent and nobody listened.
    """

    def __init__(self, publisher: "Publisher", task_id: str, epoch: int, number: int) -> None:
        self.task_id, self.epoch, self.number = task_id, epoch, number
        self.refused = False
        self.log_was_lost = self.ended_unheard = False
        self._place_of = ""
        self._publisher = publisher
        self._settled = number
        self._changed = threading.Condition()

    def write(self, data: bytes, final: bool = False) -> int:
        """Queue one event and return its number. Raises Superseded where an earlier event was refused."""
        if self.refused:
            raise Superseded(self.task_id)
        self.number += 1
        self._publisher.send(OutgoingEvent(self, self.number, data, final, self._place_of))
        return self.number

    def give_place_back(self, app_id: str) -> None:
        """Let the events from here on give back the task's place at its app's limit: the row says that it rests."""
        self._place_of = app_id

    def wait_until_sent(self, timeout: float) -> None:
        """Wait until Redis has every event. Raises Superseded, TimeoutError."""
        with self._changed:
            self._changed.wait_for(lambda: self.refused or self._settled >= self.number, timeout)
        if self.refused:
            raise Superseded(self.task_id)
        if self._settled < self.number:
            raise TimeoutError(f"events of {self.task_id} could not be sent")

    def settle(self, number: int, outcome: bytes) -> None:
        """Note what became of an event, by the answer of APPEND. Called by the publisher's thread, in order."""
        if outcome == b"lost":
            self.log_was_lost = True
            EVENTS_LOST.add("writer")
        self.ended_unheard = outcome == b"unheard"
        with self._changed:
            self._settled = number
            self.refused = self.refused or outcome == b"refused"
            self._changed.notify_all()


class Publisher:
    """Sends events in the order given, in a thread of its own. Used by many threads.

    After a lost connection it sends again what may or may not have arrived: APPEND recognizes what it has.
    """

    def __init__(self, client: "redis.Redis", log_seconds: int, ended_log_seconds: int) -> None:
        """`log_seconds`: how long a log stays behind its last event; `ended_log_seconds`: behind a final one."""
        self._log_seconds, self._ended_log_seconds = str(log_seconds), str(ended_log_seconds)
        self._open = client.register_script(channel.OPEN)
        # The client library leaves its connections untyped.
        self._connection: Any = client.connection_pool.make_connection()
        self._queue: queue.SimpleQueue[OutgoingEvent | None] = queue.SimpleQueue()
        # The hash by which Redis knows APPEND; empty where it has to be loaded.
        self._append = ""
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def open(self, task_id: str, epoch: int, number: int, is_last: bool) -> EventWriter:
        """Return a writer for a task; older epochs are refused from now on. Raises Superseded for a newer one.

        `number`: of the last event that the task's row knows of. `is_last`: whether no epoch can have published behind
        it.
        """
        unused = channel.last_number_before(epoch)
        answer = self._open(
            keys=[channel.head_key(task_id)], args=[epoch, number, int(is_last), unused, self._log_seconds]
        )
        last = int(answer)
        if last < 0:
            raise Superseded(task_id)
        return EventWriter(self, task_id, epoch, last)

    def send(self, outgoing: OutgoingEvent) -> None:
        self._queue.put(outgoing)

    def stop(self) -> None:
        """Send what is waiting, then end the thread (contract: app/streams/__init__.py)."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            outgoing = [item for item in batch if item is not None]
            if outgoing:
                self._deliver(outgoing)
            if len(outgoing) < len(batch):
                self._connection.disconnect()
                return

    def _deliver(self, batch: list[OutgoingEvent]) -> None:
        pause = FIRST_PAUSE
        while batch:
            try:
                batch = self._send(batch)
            except (*channel.RedisAway, OSError) as lost:
                log.warning("publisher.redis_lost", error=str(lost), waiting=len(batch))
                REDIS_RECONNECTS.add("publisher")
                self._connection.disconnect()
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _send(self, batch: list[OutgoingEvent]) -> list[OutgoingEvent]:
        """Send a batch in one write and read its answers; returns what must be sent again."""
        connection = self._connection
        # Does nothing while it is open. A command would open it too, but without asking Sentinels for the primary.
        connection.connect()
        if not self._append:
            self._load()
        connection.send_packed_command(connection.pack_commands(map(self._command, batch)), check_health=False)
        unknown = []
        for outgoing in batch:
            try:
                outcome = connection.read_response()
            except redis.exceptions.NoScriptError:
                # Redis has forgotten the script, for this event and for all behind it: sent again, their order stays.
                self._append = ""
                unknown.append(outgoing)
            except redis.exceptions.ResponseError as refusal:
                log.error("publisher.refused", error=str(refusal), task_id=outgoing.writer.task_id)
                outgoing.writer.settle(outgoing.number, b"refused")
            else:
                outgoing.writer.settle(outgoing.number, outcome)
        return unknown

    def _load(self) -> None:
        self._connection.send_command("SCRIPT", "LOAD", channel.APPEND)
        self._append = self._connection.read_response().decode()

    def _command(self, outgoing: OutgoingEvent) -> tuple[object, ...]:
        writer = outgoing.writer
        keys = [channel.head_key(writer.task_id), channel.log_key(writer.task_id)]
        if outgoing.place_of:
            keys.append(channel.active_key(outgoing.place_of))
        return (
            "EVALSHA",
            self._append,
            len(keys),
            *keys,
            writer.epoch,
            outgoing.number,
            channel.live_channel(writer.task_id),
            channel.FINAL if outgoing.final else channel.PLAIN,
            outgoing.data,
            self._ended_log_seconds if outgoing.final else self._log_seconds,
            channel.LOG_ENTRIES,
            writer.task_id,
        )
