"""Which request a task comes from, for the lines of its log: kept in the task's row, since tasks outlive workers."""

from typing import TypedDict

import structlog


class Origin(TypedDict):
    """What a task's row keeps of the request that began it; None where there was none."""

    request_id: str | None
    traceparent: str | None


def current_origin() -> Origin:
    """Return the origin of a task that begins now, in the thread of its request."""
    return {"request_id": structlog.contextvars.get_contextvars().get("request_id"), "traceparent": None}
