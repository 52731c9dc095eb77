"""The worker's doorway: Celery tasks. Each takes identifiers, calls one service, and may run twice without harm."""

from app.extensions import celery, redis_client
from app.services import end_users, runs
from app.services.chat_generation import announce_end, generate_chat
from app.streams import leases

GENERATORS = {"chat": generate_chat}


@celery.task(name="generations.generate")
def generate(task_id: str) -> None:
    """Generate one answer."""
    runs.execute(task_id, GENERATORS, announce_end)


@celery.task(name="housekeeping.sweep_end_users")
def sweep_end_users() -> None:
    """Remove visitors who left nothing behind."""
    end_users.sweep()


def enqueue(task_id: str) -> None:
    """Hand a committed task to the workers. Raises redis.ConnectionError, kombu.exceptions.OperationalError."""
    leases.expect(redis_client.client, [task_id])
    generate.apply_async((task_id,), retry=False)


def requeue(task_ids: list[str]) -> None:
    for task_id in task_ids:
        generate.apply_async((task_id,))


def queue_length() -> int:
    """How many generations wait for a worker."""
    return int(redis_client.client.llen(celery.conf.task_default_queue))
