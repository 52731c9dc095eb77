"""Check the strength of passwords, hash them with argon2id and verify them."""

import functools
import re
from collections.abc import Callable
from typing import TypeVar

import argon2
from gevent import monkey
from gevent.threadpool import ThreadPool

# OWASP's figures (19 MiB, two passes): some 25 ms of one core.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_STRONG = re.compile(r"(?=.*[a-zA-Z])(?=.*\d).{8,}", re.DOTALL)
# A hash that no password has: verifying takes as long for an unknown account as for a known one.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$+hGSmarfX3fA64qG2cRjEw$ouklsDui34HyYELvHRge5ZDdweJRCeZOI57DPrru+kY"
WEAK = "A password needs at least 8 characters, among them a letter and a digit."
# Hashes at once in one web process: many logins at once queue here and leave the cores to streams.
AT_ONCE = 1

Outcome = TypeVar("Outcome")


def is_strong(password: str) -> bool:
    """Whether a password has at least 8 characters, among them a letter and a digit."""
    return _STRONG.fullmatch(password) is not None


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return _aside(lambda: _HASHER.hash(password))


def verify(password: str | None, password_hash: str | None) -> bool:
    """Whether a password belongs to a hash. Where one of them is None, it takes as long and returns False."""
    right = _aside(lambda: _matches(password or "", password_hash or _NOBODYS))
    return right and password is not None and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _aside(work: Callable[[], Outcome]) -> Outcome:
    """Run in a system thread where requests are greenlets: hashing in a greenlet would stop all others meanwhile."""
    if not monkey.is_module_patched("threading"):
        return work()
    outcome: Outcome = _threads().apply(work)
    return outcome


@functools.cache
def _threads() -> ThreadPool:
    return ThreadPool(AT_ONCE)
