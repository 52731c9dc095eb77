"""Add usage up, count answers by the hour, and find what has an id."""

import datetime
from collections.abc import Sequence

from app.models.reports.failures import RecentFailure, list_recent_failures
from app.models.reports.people import FoundThing, list_things_of_id
from app.models.reports.usage_reports import GROUPS, ActivityReport, UsageReport, add_usage_up, list_activity
from app.services.reports.report_filters import ReportFilter, ReportRefused, bounded, id_or_none, scope_of

USAGE_GROUPS = tuple(GROUPS)
MOST_GROUPS = 100_000


def usage(asked: ReportFilter, by: Sequence[str] = (), limit: int = MOST_GROUPS) -> list[UsageReport]:
    """Return tokens and money by the names of USAGE_GROUPS in `by`, in their order. Raises ReportRefused.

    Without `by` there is one group. The filter's app, end user, account and times count; times are those when answers
    began. At most `limit` groups.
    """
    unknown = [name for name in by if name not in USAGE_GROUPS]
    if unknown or len(set(by)) < len(by):
        raise ReportRefused(f"Usage is added up by any of {', '.join(USAGE_GROUPS)}, each once.")
    with bounded() as connection:
        return add_usage_up(connection, scope_of(asked), by, limit)


def activity(asked: ReportFilter) -> list[ActivityReport]:
    """Return the answers of all apps, or of the filter's, by the hours in which they began. Raises ReportRefused.

    Counts those whose conversations were not deleted; `usage` keeps the answers of all.
    """
    with bounded() as connection:
        return list_activity(connection, scope_of(asked))


def recent_failures(since: datetime.datetime, limit: int) -> list[RecentFailure]:
    """Return the answers and runs that began since then and failed, the newest first. Raises ReportRefused."""
    with bounded() as connection:
        return list_recent_failures(connection, since, limit)


def things_of_id(text: str) -> list[FoundThing]:
    """Return what has this id: an app, an end user, a conversation, a message, a run, a task, a form."""
    wanted = id_or_none(text.strip())
    return [] if wanted is None else list_things_of_id(wanted)
