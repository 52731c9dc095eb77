"""A limit on the tasks that an app may have at once.

They are counted by their leases, not by a counter that a killed worker would leave behind. A task that came to rest
gives its place back with the first event that tells of it (APPEND in app/streams/channel.py), before its lease.
"""

import redis

from app.streams.channel import active_key
from app.streams.leases import CLOCK, LEASES, QUEUE_SECONDS

DAY = 86_400

# Admit a task unless the app has `limit` active ones. Those without a lease have ended or were lost: they are removed.
# The task is noted as queued in the same step, or the next call would take it for one that has ended.
# KEYS active tasks of the app, leases · ARGV limit, task, time in the queue in ms, seconds to keep the set.
_ADMIT = (
    CLOCK
    + """
for _, task in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if not redis.call('ZSCORE', KEYS[2], task) then redis.call('SREM', KEYS[1], task) end
end
if redis.call('SCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('SADD', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('ZADD', KEYS[2], 'NX', now + ARGV[3], ARGV[2])
return 1
"""
)


def admit(client: "redis.Redis", app_id: str, task_id: str, limit: int) -> bool:
    """Note a task as one of the app's active ones, unless there are `limit` already. Returns whether it may begin."""
    keys = [active_key(app_id), LEASES]
    return bool(client.register_script(_ADMIT)(keys=keys, args=[limit, task_id, int(QUEUE_SECONDS * 1000), DAY]))


def withdraw(client: "redis.Redis", app_id: str, task_id: str) -> None:
    """Take back the admission of a task that was refused for another reason."""
    pipeline = client.pipeline(transaction=False)
    pipeline.srem(active_key(app_id), task_id)
    pipeline.zrem(LEASES, task_id)
    pipeline.execute()
