"""/operator/usage: answers, tokens and money by app, account, model or day."""

import datetime
from collections.abc import Sequence

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from app.models.identifiers import now
from app.models.reports.usage_reports import UsageReport
from app.pages.operator import filters
from app.pages.operator.guard import operators_only
from app.pages.operator.plots import Bar, Plot, plot
from app.pages.operator.rendering import page
from app.services.operator import apps
from app.services.reports import usage_reports
from app.services.reports.report_filters import ReportFilter

GROUPS = {"day": "Day", "month": "Month", "app": "App", "account": "Account", "end_user": "Person", "model": "Model"}
MOST_ROWS = 500
DEFAULT_DAYS = 30
MOST_BARS = 120


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("/usage", "usage", operators_only(_show))


def _show() -> AnyResponse:
    asked, by = filters.asked("app", "end_user", "account"), filters.choice("by", GROUPS, "day")
    since = asked.since or _begin()
    scope = ReportFilter(app=asked.app, end_user=asked.end_user, account=asked.account, since=since, until=asked.until)
    rows = usage_reports.usage(scope, [by], MOST_ROWS + 1)
    return page(
        "usage.html",
        rows=rows[:MOST_ROWS],
        total=next(iter(usage_reports.usage(scope)), None),
        is_cut=len(rows) > MOST_ROWS,
        by=by,
        groups=GROUPS,
        since=request.args.get("since", "") or since.date().isoformat(),
        apps=apps.list_apps(),
        plot=_plot(rows, since, asked.until or now()) if by == "day" else None,
    )


def _plot(rows: Sequence[UsageReport], since: datetime.datetime, until: datetime.datetime) -> Plot:
    """Return the tokens of each day, the last MOST_BARS days."""
    tokens = {row.group["day"]: row.total_tokens for row in rows}
    last = min(until - datetime.timedelta(microseconds=1), now()).date()
    number = max(1, min((last - since.date()).days + 1, MOST_BARS))
    days = [(last - datetime.timedelta(days=ago)).isoformat() for ago in reversed(range(number))]
    return plot([Bar(day, {"tokens": tokens.get(day, 0)}) for day in days], "Tokens by day")


def _begin() -> datetime.datetime:
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today - datetime.timedelta(days=DEFAULT_DAYS - 1)
