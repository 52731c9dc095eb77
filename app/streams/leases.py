"""Who executes which run. A lease lasts seconds and is renewed by its worker process; one that ran out is handed on.

`frontdesk:leases`  sorted set, task id → when its lease, or the patience with its queue, ends (ms)
`frontdesk:owners`  hash, task id → the worker process that holds the lease; absent while the task waits in the queue
`frontdesk:workers` sorted set, worker process → its last heartbeat (Unix seconds)
Times are Redis's own, so that the clocks of hosts need not agree.
"""

import secrets
import socket
from typing import NamedTuple

import redis

LEASES, OWNERS, WORKERS = "frontdesk:leases", "frontdesk:owners", "frontdesk:workers"
PATIENCE = 5.0
FORGET_WORKERS = 3600

CLOCK = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""

# KEYS leases, owners · ARGV owner, lease in ms, task. A lease that runs is its owner's alone.
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

# KEYS leases, owners, workers · ARGV owner, lease in ms, tasks… Gives the tasks that somebody else holds by now.
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

# KEYS leases, owners · ARGV owner, task, again. `again` 1: the run is to be handed on at once.
_RELEASE = (
    CLOCK
    + """
if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[1] then return 0 end
if ARGV[3] == '1' then return redis.call('ZADD', KEYS[1], now - 1, ARGV[2]) end
redis.call('ZREM', KEYS[1], ARGV[2])
return redis.call('HDEL', KEYS[2], ARGV[2])
"""
)

# KEYS leases · ARGV patience in ms, tasks… Gives the tasks that were not known before.
_EXPECT = (
    CLOCK
    + """
local new = {}
for index = 2, #ARGV do
  if redis.call('ZADD', KEYS[1], 'NX', now + ARGV[1], ARGV[index]) == 1 then new[#new + 1] = ARGV[index] end
end
return new
"""
)

# KEYS leases, owners · ARGV patience in ms, how many. Each ended lease goes to one caller.
_REAP = (
    CLOCK
    + """
local orphans, overdue = {}, {}
for _, task in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[2])) do
  if redis.call('HDEL', KEYS[2], task) == 1 then orphans[#orphans + 1] = task else overdue[#overdue + 1] = task end
  redis.call('ZADD', KEYS[1], now + ARGV[1], task)
end
return {orphans, overdue}
"""
)


class Reaped(NamedTuple):
    """Tasks whose worker is gone, and tasks that waited longer than expected for a worker."""

    orphans: list[str]
    overdue: list[str]


class Leases:
    """The leases of one worker process."""

    def __init__(self, client: "redis.Redis", seconds: float, name: str = "") -> None:
        self.owner = name or f"{socket.gethostname()}-{secrets.token_hex(6)}"
        self._milliseconds = int(seconds * 1000)
        self._client = client
        self._take = client.register_script(_TAKE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)

    def take(self, task_id: str) -> bool:
        """Take a run, unless another process holds it."""
        return bool(self._take(keys=[LEASES, OWNERS], args=[self.owner, self._milliseconds, task_id]))

    def renew(self, task_ids: list[str]) -> list[str]:
        """The heartbeat: renew these runs, and give those that were taken over."""
        lost = self._renew(keys=[LEASES, OWNERS, WORKERS], args=[self.owner, self._milliseconds, *task_ids])
        return [task_id.decode() for task_id in lost]

    def release(self, task_id: str, hand_on: bool = False) -> None:
        """Give a run back: ended, or (`hand_on`) for the next worker."""
        self._release(keys=[LEASES, OWNERS], args=[self.owner, task_id, int(hand_on)])

    def leave(self) -> None:
        """Say that this process ends."""
        self._client.zrem(WORKERS, self.owner)


def expect(client: "redis.Redis", task_ids: list[str]) -> list[str]:
    """Note tasks that are about to be queued; gives those that were not noted before."""
    new = client.register_script(_EXPECT)(keys=[LEASES], args=[int(PATIENCE * 1000), *task_ids])
    return [task_id.decode() for task_id in new]


def reap(client: "redis.Redis", most: int = 200) -> Reaped:
    """Take what nobody holds any more; the caller queues it again."""
    orphans, overdue = client.register_script(_REAP)(keys=[LEASES, OWNERS], args=[int(PATIENCE * 1000), most])
    return Reaped([task.decode() for task in orphans], [task.decode() for task in overdue])


def live_workers(client: "redis.Redis", seconds: float) -> list[str]:
    """Worker processes heard of within `seconds`; those unheard for an hour are forgotten."""
    now = int(client.time()[0])
    client.zremrangebyscore(WORKERS, "-inf", now - FORGET_WORKERS)
    return [name.decode() for name in client.zrangebyscore(WORKERS, now - seconds, "+inf")]  # type: ignore[union-attr]
