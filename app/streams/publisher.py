"""The worker's side of a channel: one thread and one socket send what all runs of the process publish."""

import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

import redis
import structlog

from app.streams import channel

log = structlog.get_logger(__name__)

BATCH = 500


class Superseded(Exception):
    """Another worker has taken the run over: this one must stop and store nothing."""


@dataclass(frozen=True)
class Outgoing:
    """One event on its way."""

    writer: "EventWriter"
    number: int
    data: bytes
    final: bool


class EventWriter:
    """Numbers the events of one run. Used by one thread.

    `log_was_lost` tells that Redis had forgotten the run: earlier events are gone from the log.
    """

    def __init__(self, publisher: "Publisher", task_id: str, epoch: int, number: int) -> None:
        self.task_id, self.epoch, self.number = task_id, epoch, number
        self.first_number = number + 1
        self.refused = False
        self.log_was_lost = False
        self._publisher = publisher
        self._settled = number
        self._changed = threading.Condition()

    def write(self, data: bytes, final: bool = False) -> int:
        """Send one event and give its number. Raises Superseded."""
        if self.refused:
            raise Superseded(self.task_id)
        self.number += 1
        self._publisher.send(Outgoing(self, self.number, data, final))
        return self.number

    def wait_until_sent(self, timeout: float) -> None:
        """Block until Redis has everything. Raises Superseded, TimeoutError."""
        with self._changed:
            self._changed.wait_for(lambda: self.refused or self._settled >= self.number, timeout)
        if self.refused:
            raise Superseded(self.task_id)
        if self._settled < self.number:
            raise TimeoutError(f"events of {self.task_id} could not be sent")

    def settle(self, number: int, outcome: bytes) -> None:
        """The publisher's word on one event."""
        if outcome == b"new" and number > self.first_number:
            self.log_was_lost = True
        with self._changed:
            self._settled = number
            self.refused = self.refused or outcome == b"refused"
            self._changed.notify_all()


class Publisher:
    """Sends events in the order given; repeats what a lost connection left in doubt (APPEND knows it again)."""

    def __init__(self, client: "redis.Redis", life: int, final_life: int) -> None:
        """`life`, `final_life`: seconds that a log stays while its run lives, and after its final event."""
        self._life, self._final_life = str(life), str(final_life)
        self._open = client.register_script(channel.OPEN)
        # The client library leaves its connections untyped.
        self._connection: Any = client.connection_pool.make_connection()
        self._queue: queue.SimpleQueue[Outgoing | None] = queue.SimpleQueue()
        self._append = ""
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def open(self, task_id: str, epoch: int, number: int) -> EventWriter:
        """Speak for a run from now on. Raises Superseded where a newer epoch does."""
        last = int(self._open(keys=[channel.head_key(task_id)], args=[epoch, number, self._life]))
        if last < 0:
            raise Superseded(task_id)
        return EventWriter(self, task_id, epoch, last)

    def send(self, outgoing: Outgoing) -> None:
        self._queue.put(outgoing)

    def stop(self) -> None:
        """Send what is waiting, then end the thread."""
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            outgoing = [item for item in batch if item is not None]
            if outgoing:
                self._deliver(outgoing)
            if len(outgoing) < len(batch):
                return

    def _deliver(self, batch: list[Outgoing]) -> None:
        pause = 0.05
        while batch:
            try:
                batch = self._send(batch)
            except (redis.ConnectionError, redis.TimeoutError, OSError) as lost:
                log.warning("publisher.redis_lost", error=str(lost), waiting=len(batch))
                self._connection.disconnect()
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def _send(self, batch: list[Outgoing]) -> list[Outgoing]:
        """One write, one read; gives what must be sent again."""
        if not self._append:
            self._load()
        connection = self._connection
        connection.send_packed_command(connection.pack_commands(map(self._command, batch)), check_health=False)
        unknown = []
        for outgoing in batch:
            try:
                outcome = connection.read_response()
            except redis.exceptions.NoScriptError:
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

    def _command(self, outgoing: Outgoing) -> tuple[object, ...]:
        writer = outgoing.writer
        return (
            "EVALSHA",
            self._append,
            2,
            channel.head_key(writer.task_id),
            channel.log_key(writer.task_id),
            writer.epoch,
            outgoing.number,
            channel.live_channel(writer.task_id),
            channel.FINAL if outgoing.final else channel.PLAIN,
            outgoing.data,
            self._final_life if outgoing.final else self._life,
            channel.LOG_ENTRIES,
        )
