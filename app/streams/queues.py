"""Celery's queues as they stand in Redis."""

from collections.abc import Sequence
from typing import NamedTuple

import redis

# Where kombu keeps the tasks that were taken from a queue and not acknowledged.
UNACKNOWLEDGED = "unacked"


class QueueLengths(NamedTuple):
    """How many tasks wait, in the order of the queues that were asked for, and how many workers have and keep."""

    waiting: list[int]
    unacknowledged: int


def queue_lengths(client: "redis.Redis", queues: Sequence[str]) -> QueueLengths:
    """Return the lengths of these queues, in one round trip."""
    pipeline = client.pipeline(transaction=False)
    for queue in queues:
        pipeline.llen(queue)
    pipeline.hlen(UNACKNOWLEDGED)
    *waiting, unacknowledged = pipeline.execute()
    return QueueLengths(waiting, unacknowledged)
