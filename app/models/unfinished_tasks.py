"""How many tasks have not ended, by app."""

from typing import NamedTuple

from sqlalchemy import text

from app.models.execution import fetch_all


class UnfinishedTasks(NamedTuple):
    """A number of tasks. `state`: `waiting` for a worker, `under_way`, or `paused` for people; `code`: of their app."""

    code: str
    mode: str
    state: str
    number: int


# A task that waits has rested in its latest epoch: in none, 0, where it is new.
_COUNT = text(
    """
SELECT app.code, task.mode, task.state, sum(task.number)::integer AS number FROM (
    SELECT app_id, mode, CASE WHEN epoch = rested_epoch THEN 'waiting' ELSE 'under_way' END AS state, count(*) AS number
    FROM tasks WHERE status = 'running' GROUP BY 1, 2, 3
    UNION ALL
    SELECT app_id, mode, 'paused', count(*) FROM tasks WHERE status = 'paused' GROUP BY 1, 2
) task JOIN apps app ON app.id = task.app_id
GROUP BY app.code, task.mode, task.state ORDER BY number DESC LIMIT :most
"""
)


def count_unfinished_tasks(most: int) -> list[UnfinishedTasks]:
    """Return the numbers by app, mode and state, at most so many of them, the largest first."""
    return fetch_all(_COUNT, {"most": most}, UnfinishedTasks)
