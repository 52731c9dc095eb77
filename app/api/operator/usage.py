"""Usage by any groups, and answers by the hour."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import BeforeValidator, Field

from app.api.bodies import parse_query
from app.api.operator.answers import ReportQuery, answer
from app.services.reports import usage_reports

MOST_GROUPS = 10_000


def _split(text: object) -> list[str]:
    return [name.strip() for name in str(text).split(",") if name.strip()]


class UsageQuery(ReportQuery):
    """Usage. `by`: names of groups, separated by commas."""

    by: Annotated[list[str], BeforeValidator(_split), Field(max_length=4)] = []
    limit: int = Field(1_000, ge=1, le=MOST_GROUPS)


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/usage", "usage", _show)
    blueprint.add_url_rule("/activity", "activity", _show_activity)


def _show() -> Response:
    query = parse_query(UsageQuery)
    rows = usage_reports.usage(query.filter, query.by, query.limit + 1)
    return answer({"data": rows[: query.limit], "limit": query.limit, "has_more": len(rows) > query.limit})


def _show_activity() -> Response:
    return answer({"data": usage_reports.activity(parse_query(ReportQuery).filter)})
