"""Which worker process has which task. A lease lasts seconds; its worker renews it, and one that ran out is reaped.

`frontdesk:leases`  sorted set, task id → when its lease ends, or how long it may wait in the queue (Unix milliseconds)
`frontdesk:owners`  hash, task id → the worker process that holds the lease; "" where the task is to be handed on when
                    the lease ends; absent while the task waits in the queue
`frontdesk:workers` sorted set, worker process → its last heartbeat (Unix seconds)

Times are Redis's own, so that the clocks of hosts need not agree. The scripts make each change one step: of two workers
that want a task, one gets it. Leases only say who should work; that an old worker stores and publishes nothing is the
epoch's business (app/models/tasks.py, app/streams/channel.py).
"""

import secrets
import socket
from collections.abc import Mapping
from typing import NamedTuple

import redis

LEASES, OWNERS, WORKERS = "frontdesk:leases", "frontdesk:owners", "frontdesk:workers"
# How long a task may wait in the queue before it counts as overdue.
QUEUE_SECONDS = 5.0
FORGET_WORKERS = 3600
LONGEST_PAUSE = 60.0
# How a worker gives a task back: it has come to rest; another worker is to take it; this worker has failed with it.
RESTED, HANDED_ON, LOST = 0, 1, 2

CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# Take a task, unless another owner has a lease that still runs. Its own owner may take it again.
# KEYS leases, owners · ARGV owner, lease in ms, task. Returns 1 where it is taken.
_TAKE = (
    CLOCK
    + """
local ends = redis.call('ZSCORE', KEYS[1], ARGV[3])
local owner = redis.call('HGET', KEYS[2], ARGV[3])
if owner and owner ~= ARGV[1] and ends and tonumber(ends) > now then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
return 1
"""
)

# Renew the leases of one owner, and note its heartbeat. A task without an owner is taken again: Redis may have lost it.
# KEYS leases, owners, workers · ARGV owner, lease in ms, tasks… Returns the tasks that another owner has by now.
_RENEW = (
    CLOCK
    + """
local lost = {}
for index = 3, #ARGV do
  local owner = redis.call('HGET', KEYS[2], ARGV[index])
  if owner and owner ~= ARGV[1] then
    lost[#lost + 1] = ARGV[index]
  else
    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[index])
    redis.call('HSET', KEYS[2], ARGV[index], ARGV[1])
  end
end
redis.call('ZADD', KEYS[3], time[1] + time[2] / 1000000, ARGV[1])
return lost
"""
)

# Give a lease back. Where the task goes on it ends at once but stays, for the next reaper to find.
# KEYS leases, owners · ARGV owner, task, outcome.
_RELEASE = (
    CLOCK
    + """
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[1] then return 0 end
if ARGV[3] == '0' then
  redis.call('ZREM', KEYS[1], ARGV[2])
  return redis.call('HDEL', KEYS[2], ARGV[2])
end
if ARGV[3] == '1' then redis.call('HSET', KEYS[2], ARGV[2], '') end
return redis.call('ZADD', KEYS[1], now - 1, ARGV[2])
"""
)

# Note tasks that wait in the queue. NX leaves a task alone that has a lease or was noted by another process.
# KEYS leases · ARGV time in the queue in ms, tasks… Returns the tasks that were not known before.
_NOTE_QUEUED = (
    CLOCK
    + """
local new = {}
for index = 2, #ARGV do
  if redis.call('ZADD', KEYS[1], 'NX', now + ARGV[1], ARGV[index]) == 1 then new[#new + 1] = ARGV[index] end
end
return new
"""
)

# Let tasks wait: nobody takes them meanwhile, then they are handed on.
# KEYS leases, owners · ARGV tasks, each followed by the time in ms.
_POSTPONE = (
    CLOCK
    + """
for index = 1, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], now + ARGV[index + 1], ARGV[index])
  redis.call('HSET', KEYS[2], ARGV[index], '')
end
"""
)

# End the time for which a task was to wait.
# KEYS leases, owners · ARGV task.
_END_WAIT = (
    CLOCK
    + """
if redis.call('HGET', KEYS[2], ARGV[1]) == '' then redis.call('ZADD', KEYS[1], now - 1, ARGV[1]) end
"""
)

# Find the leases that ran out: those of a worker are orphans, those without an entry were overdue in the queue. Each is
# noted as waiting in the queue, in the same step: of all workers that reap, one gets it. A lease that ends later than
# any may was made before Redis's clock was set back: it is cut to the longest time, in which a living worker renews it.
# KEYS leases, owners · ARGV time in the queue in ms, how many at most, the longest time of a lease and a pause in ms.
# Returns orphans, handed on, overdue.
_REAP = (
    CLOCK
    + """
local longest = now + ARGV[3]
for _, task in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. longest, '+inf', 'LIMIT', 0, ARGV[2])) do
  local waits = redis.call('HGET', KEYS[2], task) == ''
  redis.call('ZADD', KEYS[1], 'LT', waits and now + ARGV[4] or longest, task)
end
local orphans, handed, overdue = {}, {}, {}
for _, task in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  local owner = redis.call('HGET', KEYS[2], task)
  local found = not owner and overdue or owner == '' and handed or orphans
  found[#found + 1] = task
  redis.call('HDEL', KEYS[2], task)
  redis.call('ZADD', KEYS[1], now + ARGV[1], task)
end
return {orphans, handed, overdue}
"""
)


class Reaped(NamedTuple):
    """Tasks that nobody has: their worker is gone (`orphans`), has handed them on, or did not come in time (`overdue`).

    Among those that were handed on are tasks that had to wait, and have.
    """

    orphans: list[str]
    handed_on: list[str]
    overdue: list[str]


class Leases:
    """The leases of one worker process."""

    def __init__(self, client: "redis.Redis", seconds: float, name: str = "") -> None:
        """`seconds`: how long a lease lasts. `name`: of the worker process, unique; made here where it is empty."""
        self.owner = name or f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._milliseconds = int(seconds * 1000)
        self._client = client
        self._take = client.register_script(_TAKE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def take(self, task_id: str) -> bool:
        """Take a task, unless another process holds its lease. Returns whether this process has it."""
        return bool(self._take(keys=[LEASES, OWNERS], args=[self.owner, self._milliseconds, task_id]))

    def renew(self, task_ids: list[str]) -> list[str]:
        """Renew the leases of these tasks, with the process's heartbeat; returns those that were taken over."""
        lost = self._renew(keys=[LEASES, OWNERS, WORKERS], args=[self.owner, self._milliseconds, *task_ids])
        return [task_id.decode() for task_id in lost]

    def release(self, task_id: str, outcome: int = RESTED) -> None:
        """Give a task back; with HANDED_ON and LOST the next reaper finds it."""
        self._release(keys=[LEASES, OWNERS], args=[self.owner, task_id, outcome])

    def leave(self) -> None:
        """Remove this process from the list of workers."""
        self._client.zrem(WORKERS, self.owner)


def note_queued(client: "redis.Redis", task_ids: list[str]) -> list[str]:
    """Note tasks that are about to be enqueued; returns those that were not noted before."""
    new = client.register_script(_NOTE_QUEUED)(keys=[LEASES], args=[int(QUEUE_SECONDS * 1000), *task_ids])
    return [task_id.decode() for task_id in new]


def reap(client: "redis.Redis", lease_seconds: float, most: int = 200) -> Reaped:
    """Return the tasks that nobody has any more, each to one caller, who enqueues it again."""
    longest = max(lease_seconds, QUEUE_SECONDS)
    args = [int(QUEUE_SECONDS * 1000), most, int(longest * 1000), int(LONGEST_PAUSE * 1000)]
    found = client.register_script(_REAP)(keys=[LEASES, OWNERS], args=args)
    return Reaped(*([task.decode() for task in tasks] for tasks in found))


def postpone(client: "redis.Redis", pauses: Mapping[str, float]) -> None:
    """Let tasks wait, each for its seconds, at most LONGEST_PAUSE, before they are handed on."""
    args = [part for task_id, seconds in pauses.items() for part in (task_id, int(seconds * 1000))]
    client.register_script(_POSTPONE)(keys=[LEASES, OWNERS], args=args)


def end_wait(client: "redis.Redis", task_id: str) -> None:
    """Have a task that waits handed on now."""
    client.register_script(_END_WAIT)(keys=[LEASES, OWNERS], args=[task_id])


def forget(client: "redis.Redis", task_ids: list[str]) -> None:
    """Forget tasks that were noted as queued and are not there."""
    client.zrem(LEASES, *task_ids)


def live_workers(client: "redis.Redis", seconds: float) -> list[str]:
    """Return the worker processes with a heartbeat in the last `seconds`; drops those without one for an hour."""
    now = int(client.time()[0])
    # Heartbeats of the future were made before Redis's clock was set back.
    client.zremrangebyscore(WORKERS, now + seconds + 1, "+inf")
    client.zremrangebyscore(WORKERS, "-inf", now - FORGET_WORKERS)
    return [name.decode() for name in client.zrangebyscore(WORKERS, now - seconds, "+inf")]  # type: ignore[union-attr]
