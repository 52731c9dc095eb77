"""/operator: the last 24 hours in numbers and small plots, what failed, and what people thought of answers."""

import datetime
from collections.abc import Callable, Sequence

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from app.models.identifiers import now
from app.models.reports.usage_reports import ActivityReport, UsageReport
from app.pages.operator.guard import operators_only
from app.pages.operator.plots import Bar, Plot, plot
from app.pages.operator.rendering import page
from app.services.reports import conversation_reports, usage_reports
from app.services.reports.report_filters import ReportFilter

HOURS = 24
LISTED = 5


def add_routes(blueprint: Blueprint) -> None:
    """Add the route."""
    blueprint.add_url_rule("", "today", operators_only(_show))


def _show() -> AnyResponse:
    first = now().replace(minute=0, second=0, microsecond=0) - datetime.timedelta(hours=HOURS - 1)
    asked = ReportFilter(since=first)
    activity = {row.hour: row for row in usage_reports.activity(asked)}
    hours = [first + datetime.timedelta(hours=number) for number in range(HOURS)]
    by_hour = {row.group["hour"]: row for row in usage_reports.usage(asked, ["hour"])}
    by_app = sorted(usage_reports.usage(asked, ["app"]), key=lambda row: row.answers, reverse=True)
    return page(
        "today.html",
        activity=list(activity.values()),
        total=next(iter(usage_reports.usage(asked)), None),
        by_app=by_app[:LISTED],
        plots=[
            plot([Bar(_hour(hour), _outcomes(activity.get(hour))) for hour in hours], "Answers by outcome"),
            _plot_of(hours, activity, "People who asked", lambda row: row.end_users),
            plot([Bar(_hour(hour), {"tokens": _tokens(by_hour, hour)}) for hour in hours], "Tokens"),
            _plot_of(hours, activity, "Seconds per answer", _mean_seconds),
        ],
        failures=usage_reports.recent_failures(first, LISTED),
        disliked=conversation_reports.list_feedback(ReportFilter(since=first, rating="dislike"), limit=LISTED).rows,
    )


def _plot_of(
    hours: Sequence[datetime.datetime],
    activity: dict[datetime.datetime, ActivityReport],
    title: str,
    value: Callable[[ActivityReport], float],
) -> Plot:
    bars = [Bar(_hour(hour), {"all": value(activity[hour]) if hour in activity else 0}) for hour in hours]
    return plot(bars, title)


def _outcomes(row: ActivityReport | None) -> dict[str, float]:
    if row is None:
        return {}
    under_way = row.running + row.paused
    return {"succeeded": row.succeeded, "under way": under_way, "stopped": row.stopped, "failed": row.failed}


def _mean_seconds(row: ActivityReport) -> float:
    return row.seconds / row.succeeded if row.succeeded else 0.0


def _tokens(by_hour: dict[str, UsageReport], hour: datetime.datetime) -> int:
    row = by_hour.get(hour.strftime("%Y-%m-%dT%H:00Z"))
    return row.total_tokens if row is not None else 0


def _hour(hour: datetime.datetime) -> str:
    return hour.strftime("%H:00")
