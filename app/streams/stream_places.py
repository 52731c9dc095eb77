"""A limit on the streams that a subject has open at once, over all web processes.

A place ends by itself where its holder does not keep it: a web process that died leaves none behind.
"""

from collections.abc import Sequence

import redis

from app.streams.leases import CLOCK

# Take a place in each set, or in none. KEYS sets · ARGV place, milliseconds that it lasts, the most of each set.
_TAKE = (
    CLOCK
    + """
for i, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= tonumber(ARGV[2 + i]) then return 0 end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
return 1
"""
)
# KEYS sets · ARGV place, milliseconds that it lasts from now on.
_KEEP = (
    CLOCK
    + """
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + ARGV[2], ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2])
end
"""
)


def take(client: "redis.Redis", most: dict[str, int], place: str, seconds: float) -> bool:
    """Take a place of each subject, or of none. `most`: how many places each has. Returns whether there was one."""
    script = client.register_script(_TAKE)
    return bool(script(keys=_keys(most), args=[place, int(seconds * 1000), *most.values()]))


def keep(client: "redis.Redis", subjects: Sequence[str], place: str, seconds: float) -> None:
    """Keep a place for so many seconds more."""
    client.register_script(_KEEP)(keys=_keys(subjects), args=[place, int(seconds * 1000)])


def give_back(client: "redis.Redis", subjects: Sequence[str], place: str) -> None:
    """End a place."""
    pipeline = client.pipeline(transaction=False)
    for key in _keys(subjects):
        pipeline.zrem(key, place)
    pipeline.execute()


def _keys(subjects: Sequence[str] | dict[str, int]) -> list[str]:
    return [f"frontdesk:streams:{subject}" for subject in subjects]
