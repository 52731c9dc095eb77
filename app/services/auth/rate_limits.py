"""Count attempts in Redis, so that nobody makes too many in a while; all processes count together."""

import hashlib

from app.extensions import redis_client


def count(subject: str, seconds: int, number: int = 1) -> int:
    """Count one more attempt and return how many there were since the first; all are forgotten `seconds` after that.

    `number`: how many, where something else than attempts is counted.
    Call this before the attempt is looked at: attempts at the same time must not all pass before one is counted.
    """
    pipeline = redis_client.client.pipeline()
    pipeline.incrby(_key(subject), number)
    # Set once: otherwise somebody who goes on trying would be locked out for ever.
    pipeline.expire(_key(subject), seconds, nx=True)
    return int(pipeline.execute()[0])


def so_far(subject: str) -> int:
    """Return how many attempts are counted, without counting one."""
    return int(redis_client.client.get(_key(subject)) or 0)


def forget(subject: str) -> None:
    """Start again at none."""
    redis_client.client.delete(_key(subject))


def _key(subject: str) -> str:
    # Subjects hold e-mail and IP addresses, which are not to be read in Redis.
    return f"frontdesk:attempts:{hashlib.sha256(subject.encode()).hexdigest()}"
