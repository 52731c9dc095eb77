"""Budgets of answers and tokens for a day (UTC), counted in Redis for all hosts together.

An answer counts for all of its subjects or, where one has used up its budget, for none. Its tokens are known when it
has ended: the task's note says for whom they count, and how many were counted, so that a task counts once.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

import redis

DAY = 86_400
# A run may wait for people for a week.
NOTE_SECONDS = 8 * DAY

# KEYS for each subject its answers and its tokens · ARGV for each subject the most of both, 0 for no limit; seconds.
_TAKE = """
for i = 1, #KEYS do
  local most = tonumber(ARGV[i])
  if most > 0 and tonumber(redis.call('GET', KEYS[i]) or '0') >= most then return i end
end
for i = 1, #KEYS, 2 do
  redis.call('INCR', KEYS[i])
  redis.call('EXPIRE', KEYS[i], ARGV[#ARGV])
end
return 0
"""
# KEYS the task's note · ARGV the task's tokens in all, seconds.
_SPEND = """
local keys = redis.call('HGET', KEYS[1], 'keys')
if not keys then return 0 end
local more = tonumber(ARGV[1]) - tonumber(redis.call('HGET', KEYS[1], 'spent') or '0')
if more <= 0 then return 0 end
redis.call('HSET', KEYS[1], 'spent', ARGV[1])
for _, key in ipairs(cjson.decode(keys)) do
  redis.call('INCRBY', key, more)
  redis.call('EXPIRE', key, ARGV[2])
end
return more
"""


class Budget(NamedTuple):
    """What a subject may use in a day; 0: as much as it likes."""

    subject: str
    answers: int
    tokens: int


def take(client: "redis.Redis", budgets: Sequence[Budget], day: str) -> bool:
    """Count an answer, unless a subject has used up its answers or tokens. Returns whether it was counted."""
    keys = [_key(budget.subject, day, kind) for budget in budgets for kind in ("answers", "tokens")]
    most = [number for budget in budgets for number in (budget.answers, budget.tokens)]
    return not client.register_script(_TAKE)(keys=keys, args=[*most, 2 * DAY])


def give_back(client: "redis.Redis", budgets: Sequence[Budget], day: str) -> None:
    """Take back an answer that did not begin."""
    pipeline = client.pipeline(transaction=False)
    for budget in budgets:
        pipeline.decr(_key(budget.subject, day, "answers"))
    pipeline.execute()


def note(client: "redis.Redis", budgets: Sequence[Budget], day: str, task_id: str) -> None:
    """Note for whom the tokens of a task count."""
    pipeline = client.pipeline(transaction=False)
    keys = [_key(budget.subject, day, "tokens") for budget in budgets]
    pipeline.hset(_note(task_id), "keys", json.dumps(keys))
    pipeline.expire(_note(task_id), NOTE_SECONDS)
    pipeline.execute()


def is_noted(client: "redis.Redis", task_id: str) -> bool:
    """Whether the tokens of a task count for anybody."""
    return bool(client.exists(_note(task_id)))


def spend(client: "redis.Redis", task_id: str, tokens: int) -> None:
    """Count the tokens that a task has used so far in all. A task without a note counts for nobody."""
    client.register_script(_SPEND)(keys=[_note(task_id)], args=[tokens, 2 * DAY])


def _key(subject: str, day: str, kind: str) -> str:
    return f"frontdesk:day:{day}:{subject}:{kind}"


def _note(task_id: str) -> str:
    return f"frontdesk:budget:{task_id}"
