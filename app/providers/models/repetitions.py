"""Decide whether and when a request that a model server did not answer is sent again.

Only what fails before the first byte of an answer is repeated: nothing was shown by then, and a model call changes
nothing at the server.
"""

import email.utils
import math
import random
import socket
import ssl
import time

from app.errors import ProviderUnreachable

AWAY = (502, 503)
BUSY = 429
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 20.0


class NoResponse(Exception):
    """The connection broke before the first byte of a response."""


def pause_before(attempt: int, retry_after: str) -> float | None:
    """Return the seconds to wait before a request is sent again; None where the server asks for too long a wait.

    `attempt`: how often it was sent; `retry_after`: the header's value, "" without one: the pause doubles then.
    """
    if retry_after:
        seconds = _seconds(retry_after)
        return None if seconds is None or seconds > LONGEST_PAUSE else seconds
    # Varied by a quarter: callers that failed together do not return together.
    return min(LONGEST_PAUSE, FIRST_PAUSE * math.pow(2, attempt - 1)) * random.uniform(0.75, 1.25)


def may_pass(failure: ProviderUnreachable) -> bool:
    """Return whether a failed connection may succeed a moment later; a certificate, or a proxy's refusal, will not."""
    cause = failure.__cause__
    return isinstance(cause, ConnectionError | socket.gaierror | NoResponse) and not isinstance(cause, ssl.SSLError)


def asks_for_repetition(status: int, retry_after: str) -> bool:
    """Return whether a response is one after which a request is sent again."""
    return status in AWAY or (status == BUSY and bool(retry_after))


def _seconds(retry_after: str) -> float | None:
    """Return a Retry-After header as seconds from now: it holds those, or a date. None where it cannot be read."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
