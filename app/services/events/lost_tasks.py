"""Look for tasks that nobody has, for workers to enqueue again.

A task may be what makes its workers die. The first worker that it loses at a step is replaced at once. Behind each
further one the task waits, longer each time, so that a fault outside passes and not all workers die one after another.
The pause is partly random: the tasks that died together, most of them innocent, do not meet again. With MOST_LOSSES the
task is enqueued for the last time, and fails.
"""

import random

import structlog
from flask import current_app

from app.extensions import redis_client
from app.metrics.names import LEASES_LOST
from app.models.task_losses import list_known_tasks, record_losses
from app.models.tasks import list_unfinished_tasks
from app.streams import leases

log = structlog.get_logger(__name__)

# A web process enqueues a task right behind its commit, or gives Redis up and fails the task within so many seconds.
NEVER_QUEUED_AFTER = 5.0
MOST_LOSSES = 4
# Seconds behind the first loss at a step, the second and so on.
PAUSES = (0.0, 3.0, 20.0)


def find_lost(most: int = 500) -> list[str]:
    """Return running tasks that Redis knows nothing of, each to one caller, who enqueues it."""
    unfinished = list_unfinished_tasks(NEVER_QUEUED_AFTER, most)
    return leases.note_queued(redis_client.client, unfinished) if unfinished else []


def find_abandoned(queue_length: int) -> list[str]:
    """Return tasks whose worker is gone; where the queue is empty also those that no worker took from it.

    A task that was lost too often at the same step is not among them before its pause is over.
    """
    reaped = leases.reap(redis_client.client, current_app.config["LEASE_SECONDS"])
    LEASES_LOST.add(amount=len(reaped.orphans))
    pauses = _pauses(reaped.orphans)
    if pauses:
        leases.postpone(redis_client.client, pauses)
    overdue = _existing(reaped.overdue)
    # With a queue that is not empty, an overdue task is most likely in it: enqueued again, it would be there twice.
    waited = overdue if queue_length == 0 else []
    return [task_id for task_id in reaped.orphans if task_id not in pauses] + reaped.handed_on + waited


def _pauses(orphans: list[str]) -> dict[str, float]:
    """Record the losses, and return the tasks that have to wait, each with its seconds."""
    if not orphans:
        return {}
    pauses = {}
    for task_id, losses in record_losses(orphans):
        pause = PAUSES[losses - 1] if losses < MOST_LOSSES else 0.0
        if pause:
            pauses[task_id] = pause * random.uniform(0.5, 1.5)
            log.warning("run.postponed", task_id=task_id, losses=losses, seconds=round(pauses[task_id], 1))
    return pauses


def _existing(overdue: list[str]) -> list[str]:
    """Return those tasks that are there. The others were admitted by a web process that died before it wrote them."""
    if not overdue:
        return []
    known = set(list_known_tasks(overdue))
    strangers = [task_id for task_id in overdue if task_id not in known]
    if strangers:
        leases.forget(redis_client.client, strangers)
    return [task_id for task_id in overdue if task_id in known]
