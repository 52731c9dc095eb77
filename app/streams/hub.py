"""One Redis pub/sub connection per process, shared by all its readers.

A connection per stream would cost twice the CPU (measured). Each reader gets a bounded queue; where it falls behind,
its queue is emptied and it is told to read the event log, so that a slow client costs the other ones nothing.
"""

import collections
import threading
from collections.abc import Callable
from typing import Self

import redis
import structlog

from app.metrics.names import REDIS_RECONNECTS, SLOW_READERS, STREAMS
from app.streams import channel

log = structlog.get_logger(__name__)

QUEUE_LENGTH = 1_000
QUEUE_BYTES = 4_194_304
# Silence after which the connection is tried with a PING; the same time again, and it counts as lost.
SILENCE_SECONDS = 15.0
CONFIRM_SECONDS = 3.0
STOP_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 1.0


class Subscription:
    """The live events of one task for one reader. Close it when done."""

    def __init__(self, hub: "Hub", task_id: str) -> None:
        self.task_id = task_id
        self._hub = hub
        self._messages: collections.deque[bytes] = collections.deque()
        self._bytes = 0
        self._ready = threading.Event()
        self._missed = False

    def push(self, message: bytes) -> None:
        """Queue a message. Called by the hub's thread."""
        if len(self._messages) >= QUEUE_LENGTH or self._bytes >= QUEUE_BYTES:
            self._messages.clear()
            self._bytes = 0
            self._missed = True
            SLOW_READERS.add()
        self._messages.append(message)
        self._bytes += len(message)
        self._ready.set()

    def mark_missed(self) -> None:
        """Note that messages may have been lost with the connection."""
        self._missed = True
        self._ready.set()

    def take(self, timeout: float) -> tuple[list[channel.ChannelEvent], bool]:
        """Return what came since the last call, waiting `timeout` seconds for it; and whether some may be missing."""
        if self._ready.wait(timeout):
            # Cleared before the queue is read: a message that is pushed meanwhile wakes the next call.
            self._ready.clear()
        missed, self._missed = self._missed, False
        events = []
        while self._messages:
            message = self._messages.popleft()
            self._bytes -= len(message)
            events.append(channel.parse_live(message))
        return events, missed

    def close(self) -> None:
        self._hub.release(self)


class Hub:
    """Reads the connection in a thread of its own and hands each message to its readers. Used by many threads.

    Where the connection is lost, it is opened again with the subscriptions of all readers, who are told to look into
    the event log. The lock guards the tables of readers and everything that is sent.
    """

    def __init__(self, client: "redis.Redis") -> None:
        # Health checks of the library would mix their answers with messages; `_read` has its own PING.
        options = {**client.connection_pool.connection_kwargs, "protocol": 2, "health_check_interval": 0}
        self._connection = client.connection_pool.connection_class(**options)
        self._lock = threading.Lock()
        self._readers: dict[bytes, list[Subscription]] = {}
        # By channel: set once Redis has confirmed its subscription.
        self._confirmed: dict[bytes, threading.Event] = {}
        self._callbacks: dict[bytes, Callable[[bytes], None]] = {}
        self._on_reconnect: list[Callable[[], None]] = []
        self._stopped = threading.Event()
        self._connected = False
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the connection and end the thread (contract: app/streams/__init__.py)."""
        self._stopped.set()
        # What the thread waits for ends with the connection.
        self._connection.disconnect()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def listen(self, name: str, callback: Callable[[bytes], None]) -> None:
        """Call back for every message of a fixed channel. To be set up before `start`."""
        self._callbacks[name.encode()] = callback

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Call back when messages may have been missed. To be set up before `start`."""
        self._on_reconnect.append(callback)

    def subscribe(self, task_id: str) -> Subscription:
        """Follow a task; nothing that is published from now on is missed. Raises redis.ConnectionError."""
        subscription = Subscription(self, task_id)
        name = channel.live_channel(task_id).encode()
        with self._lock:
            self._readers.setdefault(name, []).append(subscription)
            STREAMS.change(1)
            confirmed = self._confirmed.get(name)
            if confirmed is None:
                confirmed = self._confirmed[name] = threading.Event()
                self._send("SUBSCRIBE", name)
        # Redis has the subscription only once it says so: a task that is enqueued earlier could publish unheard.
        if not confirmed.wait(CONFIRM_SECONDS):
            self.release(subscription)
            raise redis.ConnectionError("Redis does not confirm a subscription")
        return subscription

    def release(self, subscription: Subscription) -> None:
        """Remove a reader; the last one of a task takes the subscription with it. Safe to call twice."""
        name = channel.live_channel(subscription.task_id).encode()
        with self._lock:
            readers = self._readers.get(name, [])
            if subscription in readers:
                readers.remove(subscription)
                STREAMS.change(-1)
            if not readers and name in self._confirmed:
                del self._readers[name], self._confirmed[name]
                self._send("UNSUBSCRIBE", name)

    def _send(self, *words: bytes | str) -> None:
        """Send a command, under the lock. Where the connection is lost, the thread subscribes to everything again."""
        if self._connected:
            try:
                self._connection.send_command(*words, check_health=False)
            except (*channel.RedisAway, OSError):
                log.warning("hub.send_failed", command=words[0])

    def _run(self) -> None:
        pause, first = FIRST_PAUSE, True
        while not self._stopped.is_set():
            try:
                self._connect(first)
                pause, first = FIRST_PAUSE, False
                self._read()
            except (*channel.RedisAway, OSError) as lost:
                self._note_loss(str(lost))
                self._stopped.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._connection.disconnect()

    def _note_loss(self, reason: str) -> None:
        if not self._stopped.is_set():
            log.warning("hub.redis_lost", error=reason)
        with self._lock:
            self._connected = False
        self._connection.disconnect()

    def _connect(self, first: bool) -> None:
        self._connection.connect()
        with self._lock:
            # Every channel in one command. From here on `subscribe` and `release` send their own.
            names = [*self._callbacks, *self._confirmed]
            if names:
                self._connection.send_command("SUBSCRIBE", *names, check_health=False)
            self._connected = True
            readers = [reader for group in self._readers.values() for reader in group]
        if not first:
            REDIS_RECONNECTS.add("hub")
            for reader in readers:
                reader.mark_missed()
            for callback in self._on_reconnect:
                callback()

    def _read(self) -> None:
        """Dispatch messages until the hub is stopped. Raises what a lost connection raises."""
        asked = False
        while not self._stopped.is_set():
            try:
                message = self._connection.read_response(timeout=SILENCE_SECONDS, disconnect_on_error=False)
            except redis.TimeoutError:
                if asked:
                    raise
                asked = True
                with self._lock:
                    self._connection.send_command("PING", check_health=False)
                continue
            asked = False
            self._dispatch(message)

    def _dispatch(self, message: list[bytes]) -> None:
        kind, name = message[0], message[1]
        if kind == b"message":
            for reader in self._readers.get(name, ()):
                reader.push(message[2])
            if name in self._callbacks:
                self._callbacks[name](message[2])
        elif kind == b"subscribe":
            confirmed = self._confirmed.get(name)
            if confirmed is not None:
                confirmed.set()
