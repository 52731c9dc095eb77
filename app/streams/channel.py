"""The names, scripts and event log of a task's channel.

Events are numbered from 1 by the one worker that may publish them, kept in a Redis stream whose entry ids are those
numbers, and published as they come. Each is *plain* or *final*: readers stop behind a final one.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import redis

RedisAway = (redis.ConnectionError, redis.TimeoutError)

PLAIN, FINAL = b"p", b"f"
LOG_ENTRIES = 50_000
PAGE = 1_000


class ChannelEvent(NamedTuple):
    """One event: its number in the task, its JSON text, and whether readers stop behind it."""

    number: int
    data: bytes
    final: bool


class LogLost(Exception):
    """The event log does not hold the next event although the task went on."""


def log_key(task_id: str) -> str:
    return f"run:{task_id}:log"


def head_key(task_id: str) -> str:
    """The key of a hash with the `epoch` that may publish and the `number` of its last event."""
    return f"run:{task_id}:head"


def live_channel(task_id: str) -> str:
    return f"run:{task_id}"


# Shut out older epochs. Returns the last number used, -1 where a newer epoch publishes already.
#
# The row's number counts where Redis has forgotten the task: numbers never go back, or a client would take new events
# for old ones.
# KEYS head · ARGV epoch, last number that the row knows of, seconds to keep the head.
OPEN = """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return -1 end
local number = math.max(tonumber(head[2] or '0'), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', number)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return number
"""

# Append one event to the log and publish it, as one step that no reader can see half of.
#
# Returns 'refused' for an older epoch: its worker was only slow, and another one has the task. Returns 'known' for a
# number that was used already, so that a writer may repeat what it is unsure of after a lost connection. Returns 'new'
# where Redis knew nothing of the task: behind the writer's first event that means that the log was lost.
# KEYS head, log · ARGV epoch, number, channel, kind, data, seconds to keep both, entries kept.
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
    """Return an event as APPEND publishes it: number, kind and data in a row."""
    # The data is a JSON object, so the first brace is where it begins.
    brace = message.index(b"{")
    return ChannelEvent(int(message[: brace - 1]), message[brace:], message[brace - 1 : brace] == FINAL)


def read_log(client: "redis.Redis", task_id: str, after: int) -> Iterator[ChannelEvent]:
    """Yield the logged events behind number `after`, oldest first."""
    while True:
        entries: Any = client.xrange(log_key(task_id), min=f"{after + 1}-0", count=PAGE)
        for entry_id, fields in entries:
            after = int(entry_id.split(b"-")[0])
            ((kind, data),) = fields.items()
            yield ChannelEvent(after, data, kind == FINAL)
        if len(entries) < PAGE:
            return


def last_logged(client: "redis.Redis", task_id: str) -> ChannelEvent | None:
    """Return the newest event in the log."""
    entries: Any = client.xrevrange(log_key(task_id), count=1)
    for entry_id, fields in entries:
        ((kind, data),) = fields.items()
        return ChannelEvent(int(entry_id.split(b"-")[0]), data, kind == FINAL)
    return None


def more_follows(client: "redis.Redis", task_id: str, after: int) -> bool:
    """Whether a task that has ended has events behind number `after`, such as its speech. True where Redis is away."""
    try:
        last = last_logged(client, task_id)
    except RedisAway:
        return True
    return last is not None and (last.number > after or not last.final)


def log_exists(client: "redis.Redis", task_id: str) -> bool:
    """Whether Redis has any event of the task. True where Redis is away, since it may come back with the log."""
    try:
        return bool(client.exists(log_key(task_id)))
    except RedisAway:
        return True
