"""Which request a task comes from, for logs and traces: kept in the task's row, since tasks outlive workers."""

from typing import TypedDict

import structlog

from app import tracing


class Origin(TypedDict):
    """What a task's row keeps of the request that began it; None where there was none."""

    request_id: str | None
    traceparent: str | None


def current_origin() -> Origin:
    """Return the origin of a task that begins now, in the thread of its request."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    return {"request_id": request_id, "traceparent": tracing.current_traceparent()}
