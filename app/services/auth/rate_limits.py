"""Counting tries in Redis, so that nobody guesses for long; all processes count together."""

import hashlib

from app.extensions import redis_client


def count(subject: str, seconds: int) -> int:
    """Count one more try; gives how many there were since the first, which is forgotten after so many seconds.

    Counted before the try is looked at: tries at the same time cannot all come before the limit.
    """
    pipeline = redis_client.client.pipeline()
    pipeline.incr(_key(subject))
    pipeline.expire(_key(subject), seconds, nx=True)
    return int(pipeline.execute()[0])


def so_far(subject: str) -> int:
    return int(redis_client.client.get(_key(subject)) or 0)


def forget(subject: str) -> None:
    redis_client.client.delete(_key(subject))


def _key(subject: str) -> str:
    """Addresses are not kept readable."""
    return f"frontdesk:attempts:{hashlib.sha256(subject.encode()).hexdigest()}"
