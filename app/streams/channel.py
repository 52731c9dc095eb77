"""The names, scripts and log of a run's channel.

A run is a task (its `task_id`). Its events are numbered from 1 by the one worker that may speak,
kept in a Redis stream whose entry ids are those numbers, and published as they come. Each entry is
*plain* or *final*: a final one ends the streams of its readers.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import redis

PLAIN, FINAL = b"p", b"f"
LOG_ENTRIES = 50_000
PAGE = 1_000


class ChannelEvent(NamedTuple):
    """One event: its number in the run, its JSON text, and whether readers stop behind it."""

    number: int
    data: bytes
    final: bool


class LogLost(Exception):
    """The log does not hold the next event although the run went on."""


def log_key(task_id: str) -> str:
    return f"run:{task_id}:log"


def head_key(task_id: str) -> str:
    return f"run:{task_id}:head"


def live_channel(task_id: str) -> str:
    return f"run:{task_id}"


# KEYS head · ARGV epoch, last number known from the row, life in seconds.
# Shuts out older epochs from now on. Gives the last number used, -1 where a newer epoch speaks already.
OPEN = """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return -1 end
local number = math.max(tonumber(head[2] or '0'), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', number)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return number
"""

# KEYS head, log · ARGV epoch, number, channel, kind, data, life in seconds, entries kept.
# Sending the same event twice appends it once, so that a writer may repeat what it is unsure of.
APPEND = """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return 'refused' end
if head[2] and tonumber(head[2]) >= tonumber(ARGV[2]) then return 'known' end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], ARGV[2] .. '-0', ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
redis.call('PUBLISH', ARGV[3], ARGV[2] .. ARGV[4] .. ARGV[5])
if not head[2] then return 'new' end
return 'appended'
"""


def parse_live(message: bytes) -> ChannelEvent:
    """An event as APPEND publishes it: number, kind, data, without gaps."""
    brace = message.index(b"{")
    return ChannelEvent(int(message[: brace - 1]), message[brace:], message[brace - 1 : brace] == FINAL)


def read_log(client: "redis.Redis", task_id: str, after: int) -> Iterator[ChannelEvent]:
    """The logged events behind number `after`, oldest first."""
    while True:
        entries: Any = client.xrange(log_key(task_id), min=f"{after + 1}-0", count=PAGE)
        for entry_id, fields in entries:
            after = int(entry_id.split(b"-")[0])
            ((kind, data),) = fields.items()
            yield ChannelEvent(after, data, kind == FINAL)
        if len(entries) < PAGE:
            return


def last_logged(client: "redis.Redis", task_id: str) -> ChannelEvent | None:
    """The newest event that the log has."""
    entries: Any = client.xrevrange(log_key(task_id), count=1)
    for entry_id, fields in entries:
        ((kind, data),) = fields.items()
        return ChannelEvent(int(entry_id.split(b"-")[0]), data, kind == FINAL)
    return None


def speech_follows(client: "redis.Redis", task_id: str, after: int) -> bool:
    """Whether a run that has ended says more than event `after`; also said where Redis is away."""
    try:
        last = last_logged(client, task_id)
    except (redis.ConnectionError, redis.TimeoutError):
        return True
    return last is not None and (last.number > after or not last.final)


def log_exists(client: "redis.Redis", task_id: str) -> bool:
    """Whether Redis has any event of the run; also said where Redis is away, since it may come back."""
    try:
        return bool(client.exists(log_key(task_id)))
    except (redis.ConnectionError, redis.TimeoutError):
        return True
