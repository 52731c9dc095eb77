"""One Redis pub/sub connection per process, shared by everything in it that listens.

Streams get a bounded queue each; one that falls behind is emptied and told to read the event log
instead, so a slow reader costs nobody else anything.
"""

import collections
import threading
import time
from collections.abc import Callable

import redis
import structlog

from app.streams import channel

log = structlog.get_logger(__name__)

QUEUE = 1_000
QUIET = 15.0
CONFIRM = 3.0


class Subscription:
    """The live events of one run for one reader. Close it when done."""

    def __init__(self, hub: "Hub", task_id: str) -> None:
        self.task_id = task_id
        self._hub = hub
        self._messages: collections.deque[bytes] = collections.deque()
        self._ready = threading.Event()
        self._missed = False

    def push(self, message: bytes) -> None:
        if len(self._messages) >= QUEUE:
            self._messages.clear()
            self._missed = True
        self._messages.append(message)
        self._ready.set()

    def mark_missed(self) -> None:
        self._missed = True
        self._ready.set()

    def take(self, timeout: float) -> tuple[list[channel.ChannelEvent], bool]:
        """What came since the last call, after at most `timeout` seconds; and whether something may be missing."""
        if self._ready.wait(timeout):
            self._ready.clear()
        missed, self._missed = self._missed, False
        events = []
        while self._messages:
            events.append(channel.parse_live(self._messages.popleft()))
        return events, missed

    def close(self) -> None:
        self._hub.release(self)


class Hub:
    """The process's ear. Threads (or greenlets) may share it."""

    def __init__(self, client: "redis.Redis") -> None:
        options = {**client.connection_pool.connection_kwargs, "protocol": 2, "health_check_interval": 0}
        self._connection = client.connection_pool.connection_class(**options)
        self._lock = threading.Lock()
        self._readers: dict[bytes, list[Subscription]] = {}
        self._confirmed: dict[bytes, threading.Event] = {}
        self._callbacks: dict[bytes, Callable[[bytes], None]] = {}
        self._on_reconnect: list[Callable[[], None]] = []
        self._stopped = False
        self._connected = False
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> "Hub":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped = True
        self._connection.disconnect()

    def listen(self, name: str, callback: Callable[[bytes], None]) -> None:
        """Call back for every message of a fixed channel. To be set up before `start`."""
        self._callbacks[name.encode()] = callback

    def on_reconnect(self, callback: Callable[[], None]) -> None:
        """Call back when messages may have been missed. To be set up before `start`."""
        self._on_reconnect.append(callback)

    def subscribe(self, task_id: str) -> Subscription:
        """Follow a run; nothing published from now on is missed. Raises redis.ConnectionError."""
        subscription = Subscription(self, task_id)
        name = channel.live_channel(task_id).encode()
        with self._lock:
            self._readers.setdefault(name, []).append(subscription)
            confirmed = self._confirmed.get(name)
            if confirmed is None:
                confirmed = self._confirmed[name] = threading.Event()
                self._command("SUBSCRIBE", name)
        if not confirmed.wait(CONFIRM):
            self.release(subscription)
            raise redis.ConnectionError("Redis does not confirm a subscription")
        return subscription

    def release(self, subscription: Subscription) -> None:
        name = channel.live_channel(subscription.task_id).encode()
        with self._lock:
            readers = self._readers.get(name, [])
            if subscription in readers:
                readers.remove(subscription)
            if not readers and name in self._confirmed:
                del self._readers[name], self._confirmed[name]
                self._command("UNSUBSCRIBE", name)

    def _command(self, *words: bytes | str) -> None:
        """Under the lock. A lost connection is the reading thread's to mend: it subscribes to everything again."""
        if self._connected:
            try:
                self._connection.send_command(*words, check_health=False)
            except (redis.ConnectionError, redis.TimeoutError, OSError):
                log.warning("hub.send_failed", command=words[0])

    def _run(self) -> None:
        pause, first = 0.05, True
        while not self._stopped:
            try:
                self._connect(first)
                pause, first = 0.05, False
                self._read()
            except (redis.ConnectionError, redis.TimeoutError, OSError) as lost:
                self._note_loss(str(lost))
                time.sleep(pause)
                pause = min(pause * 2, 1.0)

    def _note_loss(self, reason: str) -> None:
        if not self._stopped:
            log.warning("hub.redis_lost", error=reason)
        with self._lock:
            self._connected = False
        self._connection.disconnect()

    def _connect(self, first: bool) -> None:
        self._connection.connect()
        with self._lock:
            names = [*self._callbacks, *self._confirmed]
            if names:
                self._connection.send_command("SUBSCRIBE", *names, check_health=False)
            self._connected = True
            readers = [reader for group in self._readers.values() for reader in group]
        if not first:
            for reader in readers:
                reader.mark_missed()
            for callback in self._on_reconnect:
                callback()

    def _read(self) -> None:
        asked = False
        while True:
            try:
                message = self._connection.read_response(timeout=QUIET, disconnect_on_error=False)
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
