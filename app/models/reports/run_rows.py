"""Runs of workflow apps, which have no message, in the order in which they began."""

import datetime
from dataclasses import dataclass
from typing import Any

from app.models.execution import fetch_all
from app.models.reports.scopes import PagePlace, ReportScope, narrowed, page_values


@dataclass(frozen=True)
class WorkflowRunRow:
    """A run of a workflow app, secrets of the app among its values. `elapsed` in seconds.

    `prices`: what its models cost by currency, as texts.
    """

    id: str
    app: str
    end_user_id: str
    end_user: str
    account: str
    created_at: datetime.datetime
    finished_at: datetime.datetime | None
    status: str
    inputs: dict[str, Any]
    files: list[Any]
    outputs: dict[str, Any] | None
    error: str | None
    elapsed: float
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    total_steps: int
    exceptions_count: int
    task_id: str
    app_version_id: str
    prices: dict[str, str]


# A page ends before the run that would make it larger than :most_bytes; the first run always comes. Sizes are read from
# the values' heads: nothing is decompressed.
_ROWS = """
SELECT page.id::text, app.code AS app, end_user.id::text AS end_user_id, end_user.session_id AS end_user,
    CASE WHEN end_user.kind = 'account' THEN end_user.session_id ELSE '' END AS account, page.created_at,
    page.finished_at, page.status, page.inputs, page.files, page.outputs, page.error, page.elapsed,
    coalesce(used.prompt_tokens, 0)::bigint AS prompt_tokens,
    coalesce(used.completion_tokens, 0)::bigint AS completion_tokens, page.total_tokens, page.total_steps,
    page.exceptions_count, page.task_id::text, page.app_version_id::text, coalesce(used.prices, '{}') AS prices
FROM (
    SELECT *, sum(bytes) OVER in_order AS page_bytes, row_number() OVER in_order AS position FROM (
        SELECT run.*, pg_column_size(inputs) + coalesce(pg_column_size(outputs), 0) AS bytes
        FROM workflow_runs run WHERE run.message_id IS NULL AND {where} ORDER BY run.created_at, run.id LIMIT :most
    ) found WINDOW in_order AS (ORDER BY created_at, id)
) page
JOIN apps app ON app.id = page.app_id JOIN end_users end_user ON end_user.id = page.end_user_id
LEFT JOIN LATERAL (
    SELECT sum(asked) AS prompt_tokens, sum(told) AS completion_tokens,
        jsonb_object_agg(currency, price::text) FILTER (WHERE currency <> '') AS prices
    FROM (
        SELECT currency, sum(prompt_tokens) AS asked, sum(completion_tokens) AS told,
            sum(prompt_price + completion_price) AS price
        FROM usage_records WHERE task_id = page.task_id GROUP BY currency
    ) by_currency
) used ON true
WHERE position = 1 OR page_bytes <= :most_bytes ORDER BY position
"""
_CONDITIONS = {
    "app_id": "run.app_id = :app_id",
    "end_user_ids": "run.end_user_id = ANY(:end_user_ids)",
    "since": "run.created_at >= :since",
    "until": "run.created_at < :until",
    "status": "run.status = :status",
    "mode": "CAST(:mode AS text) = 'workflow'",
    "words": "(run.inputs::text ILIKE :words OR run.outputs::text ILIKE :words OR run.error ILIKE :words)",
    "place": "(run.created_at, run.id) > (:place_moment, :place_id)",
}


def list_workflow_run_rows(
    scope: ReportScope, place: PagePlace | None, most: int, most_bytes: int
) -> list[WorkflowRunRow]:
    """Return runs of workflow apps, the oldest first: at most `most` behind `place`, and of `most_bytes`."""
    statement = narrowed(_ROWS, scope, _CONDITIONS, place)
    return fetch_all(statement, page_values(scope, place, most) | {"most_bytes": most_bytes}, WorkflowRunRow)
