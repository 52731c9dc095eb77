"""Signals between processes: stop a task, forget what was remembered of an app or an end user."""

import redis

from app.streams import leases

STOPS, CHANGES = "frontdesk:stops", "frontdesk:changes"
FLAG_SECONDS = 600


def stop_flag(task_id: str) -> str:
    return f"run:{task_id}:stop"


def request_stop(client: "redis.Redis", task_id: str) -> None:
    """Ask whatever worker has the task, or will have it, to stop it.

    The message reaches a worker at once; the flag stays for one that claims the task later or was cut off from Redis.
    A task that waits for a worker waits no longer.
    """
    pipeline = client.pipeline(transaction=False)
    pipeline.set(stop_flag(task_id), b"1", ex=FLAG_SECONDS)
    pipeline.publish(STOPS, task_id)
    pipeline.execute()
    leases.end_wait(client, task_id)


def stops_requested(client: "redis.Redis", task_ids: list[str]) -> list[str]:
    """Return those of the tasks that were asked to stop."""
    if not task_ids:
        return []
    values = client.mget([stop_flag(task_id) for task_id in task_ids])
    return [task_id for task_id, value in zip(task_ids, values, strict=True) if value]


def announce_change(client: "redis.Redis", subject: str) -> None:
    """Tell every process to drop what it remembers of `subject` (`app:<id>`, `end_user:<id>`)."""
    client.publish(CHANGES, subject)
