"""Identifiers and the clock of rows."""

import datetime
import secrets
import time
import uuid


def new_id() -> uuid.UUID:
    """A UUIDv7 (RFC 9562): sorts by its time, so that indexes grow at one end."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return uuid.UUID(int=value)


def now() -> datetime.datetime:
    """The present in UTC, as rows store it (with microseconds)."""
    return datetime.datetime.now(datetime.UTC)


def is_id(text: str) -> bool:
    """Return whether a text is an id as rows have it: a UUID in its usual form."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
