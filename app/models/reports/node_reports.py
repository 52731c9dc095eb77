"""Node executions of a workflow run as pages show them: counted by node, and whole, a page at a time."""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from app.models.execution import fetch_all, fetch_one

# Of node executions.
STATUSES = ("running", "paused", "succeeded", "exception", "failed", "stopped")


@dataclass(frozen=True)
class RunOrigin:
    """The app version that a run went through, and the app's mode."""

    app_version_id: str
    mode: str


@dataclass(frozen=True)
class NodeCounts:
    """All executions of one node in a run: how many of each of STATUSES, and the seconds of all together.

    `handles`: those that were chosen. `error`: one of the errors.
    """

    node_id: str
    kind: str
    title: str
    container: str | None
    executions: int
    statuses: dict[str, int]
    handles: list[str]
    elapsed: float
    error: str | None


@dataclass(frozen=True)
class NodeExecutionReport:
    """One node execution with its values. `frame` names container and round, empty at the top; `elapsed` in seconds.

    `number`: the execution's place in the order in which the run's executions began.
    """

    id: str
    number: int
    node_id: str
    kind: str
    title: str
    frame: str
    status: str
    elapsed: float | None
    started_at: datetime.datetime
    finished_at: datetime.datetime | None
    inputs: Any
    process_data: Any
    outputs: Any
    usage: Any
    error: str | None


_FIND_ORIGIN = text(
    """
SELECT run.app_version_id::text, app.mode FROM workflow_runs run JOIN apps app ON app.id = run.app_id
WHERE run.id = :run_id
"""
)

_COUNT = text(
    f"""
SELECT node_id, max(kind) AS kind, max(title) AS title, max(coalesce(iteration_id, loop_id)) AS container,
    count(*)::integer AS executions,
    jsonb_build_object({", ".join(f"'{status}', count(*) FILTER (WHERE status = '{status}')" for status in STATUSES)})
        AS statuses,
    coalesce(array_agg(DISTINCT handle) FILTER (WHERE handle IS NOT NULL), '{{}}') AS handles,
    coalesce(sum(elapsed), 0)::float AS elapsed, min(error) AS error
FROM node_executions WHERE run_id = :run_id GROUP BY node_id ORDER BY node_id LIMIT :most
"""
)

# A page ends before the execution that would make it larger than :most_bytes; the first one always comes. Sizes are
# read from the values' heads: nothing is decompressed.
_LIST = """
SELECT id::text, index AS number, node_id, kind, title, frame, status, elapsed, started_at, finished_at, inputs,
    process_data, outputs, usage, error
FROM (
    SELECT *, sum(bytes) OVER in_order AS page_bytes, row_number() OVER in_order AS place FROM (
        SELECT *, coalesce(pg_column_size(inputs), 0) + coalesce(pg_column_size(process_data), 0)
            + coalesce(pg_column_size(outputs), 0) AS bytes
        FROM node_executions WHERE run_id = :run_id AND (index, id) > (:after_number, CAST(:after_id AS uuid)) {of_node}
        ORDER BY index, id LIMIT :most
    ) found WINDOW in_order AS (ORDER BY index, id)
) page WHERE place = 1 OR page_bytes <= :most_bytes ORDER BY place
"""
_LIST_ALL = text(_LIST.format(of_node=""))
_LIST_OF_NODE = text(_LIST.format(of_node="AND node_id = :node_id"))


def find_run_origin(run_id: uuid.UUID) -> RunOrigin | None:
    """Return what a run went through; None where there is no such run."""
    return fetch_one(_FIND_ORIGIN, {"run_id": run_id}, RunOrigin)


def count_node_executions(run_id: uuid.UUID, most: int) -> list[NodeCounts]:
    """Return the executions of a run counted by node, of at most `most` nodes."""
    return fetch_all(_COUNT, {"run_id": run_id, "most": most}, NodeCounts)


def list_node_execution_reports(
    run_id: uuid.UUID, node_id: str | None, after: tuple[int, uuid.UUID], most: int, most_bytes: int
) -> list[NodeExecutionReport]:
    """Return executions of a run, of one node or of all, as they began, behind the number and id of `after`.

    At most `most`, and of `most_bytes`, at least one.
    """
    values = {
        "run_id": run_id,
        "after_number": after[0],
        "after_id": after[1],
        "most": most,
        "most_bytes": most_bytes,
    }
    if node_id is None:
        return fetch_all(_LIST_ALL, values, NodeExecutionReport)
    return fetch_all(_LIST_OF_NODE, values | {"node_id": node_id}, NodeExecutionReport)
