"""Options that reports share: what they are narrowed to, and which page of a list is wanted."""

import datetime
import functools
import re
from collections.abc import Callable
from typing import Any

import click

from app.models.identifiers import now
from app.services.reports.report_filters import RATINGS, ReportFilter, ReportPage

MODES = ("chat", "agent-chat", "advanced-chat", "completion", "workflow")
_AGO = re.compile(r"(\d{1,5})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Moment(click.ParamType[datetime.datetime]):
    """A time: a date or a time of ISO 8601, in UTC where it says nothing else, or how long ago it was (`7d`)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime.datetime:
        """Return the time. Ends the command for a text that is none."""
        if isinstance(value, datetime.datetime):
            return value
        ago = _AGO.fullmatch(value)
        if ago is not None:
            return now() - datetime.timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        try:
            moment = datetime.datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: write 2026-01-31, 2026-01-31T12:00 (UTC), or 7d, 12h, 30m for ago.")
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)


_OPTIONS = {
    "app": click.option("--app", help="Only what belongs to the app with this code."),
    "since": click.option("--since", type=Moment(), help="From this time on: 2026-01-31, 2026-01-31T12:00 (UTC), 7d."),
    "until": click.option("--until", type=Moment(), help="Before this time."),
    "end_user": click.option("--end-user", help="Only of the end user with this session id or id."),
    "account": click.option("--account", help="Only of the account with this e-mail address."),
    "rating": click.option("--rating", type=click.Choice(RATINGS), help="Only what was rated so."),
    "mode": click.option("--mode", type=click.Choice(MODES), help="Only of apps of this mode."),
    "status": click.option("--status", help="Only with this status."),
    "words": click.option("--words", help="Only where these words are in a question, an answer or a name."),
}


def filter_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the filter options of these names; it is called with `asked`, a ReportFilter."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def filtered(**given: Any) -> None:
            asked = ReportFilter(**{name: given.pop(name) for name in names})
            command(asked=asked, **given)

        decorated: Callable[..., None] = filtered
        for name in reversed(names):
            decorated = _OPTIONS[name](decorated)
        return decorated

    return decorate


def page_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command `limit` and `after`, for the pages of a list."""
    limit = click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Rows of a page.")
    return limit(click.option("--after", metavar="PLACE", help="Behind the page that ended there.")(command))


def tell_following(page: ReportPage[Any]) -> None:
    """Say on stderr where the next page begins, where there is one."""
    if page.following is not None:
        click.echo(f"There is more: --after {page.following}", err=True)
