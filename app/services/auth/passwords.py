"""Passwords: what one must have, hashing and checking them with argon2id."""

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
# Of nobody's password. An account that is unknown costs what a known one costs.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$+hGSmarfX3fA64qG2cRjEw$ouklsDui34HyYELvHRge5ZDdweJRCeZOI57DPrru+kY"
WEAK = "A password needs at least 8 characters, among them a letter and a digit."
# Hashes at once in one web process: a flood of logins waits, and leaves the cores to the streams.
AT_ONCE = 1

Outcome = TypeVar("Outcome")


def is_strong(password: str) -> bool:
    """At least 8 characters with a letter and a digit."""
    return _STRONG.fullmatch(password) is not None


def hash_password(password: str) -> str:
    return _aside(lambda: _HASHER.hash(password))


def verify(password: str | None, password_hash: str | None) -> bool:
    """Whether this is the hashed password. None for either takes as long and is false."""
    right = _aside(lambda: _matches(password or "", password_hash or _NOBODYS))
    return right and password is not None and password_hash is not None


def _matches(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False


def _aside(work: Callable[[], Outcome]) -> Outcome:
    """In a thread of the system where greenlets carry the streams: hashing in one would hold all of them up."""
    if not monkey.is_module_patched("threading"):
        return work()
    outcome: Outcome = _threads().apply(work)
    return outcome


@functools.cache
def _threads() -> ThreadPool:
    return ThreadPool(AT_ONCE)
