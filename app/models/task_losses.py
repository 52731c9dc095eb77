"""Losses of workers: how often a task lost its worker at the same step.

A step lasts from one thing that is stored to the next: the end of a node execution, the result of an agent's tool, a
form that is decided. A task that gets on may lose any number of workers.
"""

from typing import NamedTuple

from sqlalchemy import text

from app.models.execution import fetch_all, fetch_values


class TaskLoss(NamedTuple):
    """A running task that has lost its worker. `losses`: how often by now at the same step."""

    task_id: str
    losses: int


# What is stored only grows, so that its size tells the step.
_RECORD = text(
    """
WITH step AS (
    SELECT task.id, concat_ws(
        '/', task.decisions,
        (SELECT count(*) FROM node_executions WHERE run_id = task.workflow_run_id AND finished_at IS NOT NULL),
        (
            SELECT sum(length(CAST(outputs AS text))) FROM node_executions
            WHERE run_id = task.workflow_run_id AND finished_at IS NULL
        ),
        (SELECT sum(length(CAST(calls AS text))) FROM agent_thoughts WHERE message_id = task.message_id)
    ) AS name
    FROM tasks task WHERE task.id = ANY(CAST(:task_ids AS uuid[])) AND task.status = 'running'
)
UPDATE tasks SET losses = CASE WHEN tasks.lost_at = step.name THEN tasks.losses + 1 ELSE 1 END, lost_at = step.name
FROM step WHERE tasks.id = step.id AND tasks.status = 'running' RETURNING tasks.id::text AS task_id, tasks.losses
"""
)

_KNOWN = text("SELECT id::text FROM tasks WHERE id = ANY(CAST(:task_ids AS uuid[]))")


def record_losses(task_ids: list[str]) -> list[TaskLoss]:
    """Count one more lost worker for each of the tasks that run; return those."""
    return fetch_all(_RECORD, {"task_ids": task_ids}, TaskLoss)


def list_known_tasks(task_ids: list[str]) -> list[str]:
    """Return those of the tasks that have a row."""
    return fetch_values(_KNOWN, {"task_ids": task_ids})
