"""The names, scripts and event log of a task's channel.

Events are numbered by the one worker that may publish them, kept in a Redis stream whose entry ids are those numbers,
and published as they come. Each is *plain* or *final*: readers stop behind a final one.

Numbers begin with 1, follow each other without a gap, and never go back, as clients say by a number what they have. A
worker that takes a task over goes on behind the last number where Redis or the row is sure of it. Where neither is,
because Redis lost its data, it leaves a gap up to the numbers of its own epoch, which nobody can have seen. To readers
that gap looks like lost events, and that is what it is.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import redis

RedisAway = (redis.ConnectionError, redis.TimeoutError)

PLAIN, FINAL = b"p", b"f"
LOG_ENTRIES = 50_000
PAGE = 1_000
# The numbers that each epoch has for itself. With 2^21 epochs they stay whole numbers in JavaScript (below 2^53).
EPOCH_NUMBERS = 2**32


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


def active_key(app_id: str) -> str:
    """The key of a set with the tasks that count for the limit of an app."""
    return f"app:{app_id}:active"


def last_number_before(epoch: int) -> int:
    """Return a number that no event of an earlier epoch has reached."""
    return (epoch - 1) * EPOCH_NUMBERS


# Shut out older epochs. Returns the number that the writer's first event follows, -1 where a newer epoch publishes.
#
# Redis is sure of the last number as long as one server process had the task all the time: one that was started anew,
# or a replica that took its place, may lack the latest events. Numbers are passed on as text, because Lua rounds them.
# KEYS head · ARGV epoch, last number that the row knows of, whether no epoch published behind it ('1'), a number that
# no earlier epoch has reached, seconds to keep the head.
OPEN = """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number', 'server')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return '-1' end
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local number = ARGV[2]
if ARGV[3] ~= '1' and not (head[2] and head[3] == server) then number = ARGV[4] end
if head[2] and tonumber(head[2]) > tonumber(number) then number = head[2] end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', number, 'server', server)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return number
"""

# Append one event to the log and publish it, as one step that no reader can see half of.
#
# Returns 'refused' for an older epoch: its worker was only slow, and another one has the task. Returns 'known' for a
# number that was used already, so that a writer may repeat what it is unsure of after a lost connection. Returns 'lost'
# where Redis lacks the event before: the log lost it, and maybe more. Returns 'unheard' for a final event that nobody
# was subscribed to hear.
#
# With a third key the event tells that the task is at rest. Its place at its app's limit is given back in the same
# step: a client that has read the event and asks again at once must not be refused.
# KEYS head, log, active tasks of the app (or left out) · ARGV epoch, number, channel, kind, data, seconds to keep both,
# entries kept, task.
APPEND = """
local head = redis.call('HMGET', KEYS[1], 'epoch', 'number')
if tonumber(head[1] or '0') > tonumber(ARGV[1]) then return 'refused' end
if KEYS[3] then redis.call('SREM', KEYS[3], ARGV[8]) end
if head[2] and tonumber(head[2]) >= tonumber(ARGV[2]) then return 'known' end
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[7], ARGV[2] .. '-0', ARGV[4], ARGV[5])
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'number', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[6])
redis.call('EXPIRE', KEYS[2], ARGV[6])
local readers = redis.call('PUBLISH', ARGV[3], ARGV[2] .. ARGV[4] .. ARGV[5])
if tonumber(head[2] or '0') < tonumber(ARGV[2]) - 1 then return 'lost' end
if readers == 0 and ARGV[4] == 'f' then return 'unheard' end
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


def forget_task(client: "redis.Redis", task_id: str) -> None:
    """Remove a task's event log, with the words that are in it."""
    client.delete(log_key(task_id))


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
