"""The stop signal of a run: a flag that stays, and a message that is heard at once."""

import redis

CHANNEL = "frontdesk:stops"
LIFE = 600


def flag(task_id: str) -> str:
    return f"run:{task_id}:stop"


def request_stop(client: "redis.Redis", task_id: str) -> None:
    pipeline = client.pipeline(transaction=False)
    pipeline.set(flag(task_id), b"1", ex=LIFE)
    pipeline.publish(CHANNEL, task_id)
    pipeline.execute()


def stop_requested(client: "redis.Redis", task_ids: list[str]) -> list[str]:
    """Those of the tasks that were asked to stop."""
    if not task_ids:
        return []
    values = client.mget([flag(task_id) for task_id in task_ids])
    return [task_id for task_id, value in zip(task_ids, values, strict=True) if value]
