"""Usage, added up by app, account, end user, model, endpoint, purpose and time."""

import datetime
import decimal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause

from app.models.execution import fetch_all
from app.models.reports.scopes import ReportScope, narrowed

# What usage can be added up by: the SQL of each, as a text. Days and hours are those of UTC.
GROUPS = {
    "app": "coalesce(app.code, '')",
    "account": "CASE WHEN end_user.kind = 'account' THEN end_user.session_id ELSE '' END",
    "end_user": "coalesce(end_user.session_id, '')",
    "model": "record.model",
    "endpoint": "record.endpoint",
    "purpose": "record.purpose",
    "month": "to_char(record.created_at AT TIME ZONE 'UTC', 'YYYY-MM')",
    "day": "to_char(record.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    "hour": """to_char(record.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:00"Z"')""",
}


@dataclass(frozen=True)
class UsageReport:
    """The usage of one group. `group`: its values by the names that were asked for, in their order.

    `answers`: tasks that have ended or paused, whether they asked a model or not. `prices`: what was paid by currency.
    `unpriced_tokens`: those of models whose routes had no prices.
    """

    group: dict[str, str]
    answers: int
    calls: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    unpriced_tokens: int
    prices: dict[str, decimal.Decimal]


@dataclass(frozen=True)
class ActivityReport:
    """The answers that began in one hour, by how their tasks stand. `seconds`: how long the ended ones took together.

    `end_users`: how many asked.
    """

    hour: datetime.datetime
    running: int
    paused: int
    succeeded: int
    failed: int
    stopped: int
    end_users: int
    seconds: float


# Two sums in one pass over the records: of each group, and of each currency in it.
_USAGE = """
SELECT {names}max(answers) FILTER (WHERE whole) AS answers, max(calls) FILTER (WHERE whole) AS calls,
    max(prompt_tokens) FILTER (WHERE whole) AS prompt_tokens,
    max(completion_tokens) FILTER (WHERE whole) AS completion_tokens,
    max(total_tokens) FILTER (WHERE whole) AS total_tokens,
    max(unpriced_tokens) FILTER (WHERE whole) AS unpriced_tokens,
    coalesce(jsonb_object_agg(currency, price::text) FILTER (WHERE NOT whole AND currency <> ''), '{{}}') AS prices
FROM (
    SELECT {groups}currency, grouping(currency) = 1 AS whole,
        count(DISTINCT record.task_id) FILTER (WHERE record.purpose = 'answer') AS answers,
        coalesce(sum(record.calls), 0)::bigint AS calls,
        coalesce(sum(record.prompt_tokens), 0)::bigint AS prompt_tokens,
        coalesce(sum(record.completion_tokens), 0)::bigint AS completion_tokens,
        coalesce(sum(record.total_tokens), 0)::bigint AS total_tokens,
        coalesce(sum(record.total_tokens) FILTER (WHERE record.currency = ''), 0)::bigint AS unpriced_tokens,
        sum(record.prompt_price + record.completion_price) AS price
    FROM usage_records record {joins} WHERE {{where}}
    GROUP BY GROUPING SETS (({numbers}), ({numbers_and}currency))
) added {grouped} ORDER BY {order} LIMIT :most
"""
_JOINS = {
    "app": "LEFT JOIN apps app ON app.id = record.app_id",
    "end_user": "LEFT JOIN end_users end_user ON end_user.id = record.end_user_id",
}
_USAGE_CONDITIONS = {
    "app_id": "record.app_id = :app_id",
    "end_user_ids": "record.end_user_id = ANY(:end_user_ids)",
    "since": "record.created_at >= :since",
    "until": "record.created_at < :until",
}

_ACTIVITY = """
SELECT date_trunc('hour', task.created_at, 'UTC') AS hour,
    (count(*) FILTER (WHERE task.status = 'running'))::integer AS running,
    (count(*) FILTER (WHERE task.status = 'paused'))::integer AS paused,
    (count(*) FILTER (WHERE task.status = 'succeeded'))::integer AS succeeded,
    (count(*) FILTER (WHERE task.status = 'failed'))::integer AS failed,
    (count(*) FILTER (WHERE task.status = 'stopped'))::integer AS stopped,
    count(DISTINCT task.end_user_id)::integer AS end_users,
    coalesce(sum(extract(epoch FROM task.finished_at - task.created_at)) FILTER (WHERE task.status = 'succeeded'), 0)
        ::float8 AS seconds
FROM tasks task WHERE {where} GROUP BY 1 ORDER BY 1
"""
_ACTIVITY_CONDITIONS = {
    "app_id": "task.app_id = :app_id",
    "end_user_ids": "task.end_user_id = ANY(:end_user_ids)",
    "since": "task.created_at >= :since",
    "until": "task.created_at < :until",
}


def add_usage_up(connection: Connection, scope: ReportScope, by: Sequence[str], most: int) -> list[UsageReport]:
    """Return the usage of the scope by groups, in the order of their values; without `by` all of it as one group.

    `by`: keys of GROUPS. Gives at most `most` groups.
    """
    values = scope.values() | {"most": most}
    rows: list[dict[str, Any]] = fetch_all(_usage_statement(scope, by), values, dict, connection)
    return [_usage_report(row, by) for row in rows]


def list_activity(connection: Connection, scope: ReportScope) -> list[ActivityReport]:
    """Return the answers of the scope by the hours in which they began; hours without any are left out."""
    return fetch_all(narrowed(_ACTIVITY, scope, _ACTIVITY_CONDITIONS), scope.values(), ActivityReport, connection)


def _usage_statement(scope: ReportScope, by: Sequence[str]) -> TextClause:
    names = [f"group_{number}" for number in range(len(by))]
    joins = [_JOINS["app"]] if "app" in by else []
    if "account" in by or "end_user" in by:
        joins.append(_JOINS["end_user"])
    numbers = [str(number + 1) for number in range(len(by))]
    sql = _USAGE.format(
        names="".join(f"{name}, " for name in names),
        groups="".join(f"{GROUPS[group]} AS {name}, " for group, name in zip(by, names, strict=True)),
        joins=" ".join(joins),
        numbers=", ".join(numbers),
        numbers_and="".join(f"{number}, " for number in numbers),
        grouped=f"GROUP BY {', '.join(names)}" if names else "",
        order=", ".join(names) or "answers",
    )
    return narrowed(sql, scope, _USAGE_CONDITIONS)


def _usage_report(row: dict[str, Any], by: Sequence[str]) -> UsageReport:
    return UsageReport(
        group={group: row[f"group_{number}"] for number, group in enumerate(by)},
        answers=row["answers"] or 0,
        calls=row["calls"] or 0,
        prompt_tokens=row["prompt_tokens"] or 0,
        completion_tokens=row["completion_tokens"] or 0,
        total_tokens=row["total_tokens"] or 0,
        unpriced_tokens=row["unpriced_tokens"] or 0,
        prices={currency: decimal.Decimal(price) for currency, price in row["prices"].items()},
    )
