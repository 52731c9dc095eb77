"""Filters and pages of reports: what an operator names becomes a scope of rows, or is refused in a sentence."""

import contextlib
import datetime
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import OperationalError

from app.extensions import db
from app.models.apps import find_app_by_code
from app.models.reports.people import list_end_user_ids, list_end_user_ids_of_account
from app.models.reports.scopes import PagePlace, ReportScope, limit_time

# A report that takes longer is ended: it is to be narrowed.
REPORT_SECONDS = 30.0
RATINGS = ("like", "dislike")
_QUERY_CANCELED = "57014"

Row = TypeVar("Row")


class ReportRefused(Exception):
    """A report that cannot be made as it was asked for. The message says why."""


class ReportNotFound(ReportRefused):
    """What a report is about, by its id, is not there."""


@dataclass(frozen=True, kw_only=True)
class ReportFilter:
    """What a report is narrowed to, in an operator's words.

    `app`: the code of an app. `end_user`: a session id, or the id of an end user. `account`: an e-mail address. `since`
    and `until`: a span of time, without its end. `words`: a text that the rows hold.
    """

    app: str | None = None
    end_user: str | None = None
    account: str | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    rating: str | None = None
    mode: str | None = None
    status: str | None = None
    words: str | None = None


@dataclass(frozen=True)
class ReportPage(Generic[Row]):
    """A page of a report. `following`: what asks for the page behind it; None where this is the last one."""

    rows: Sequence[Row]
    following: str | None


def scope_of(asked: ReportFilter) -> ReportScope:
    """Return the rows that a filter is about. Raises ReportRefused for an app or a person that is not there."""
    app_id = None
    if asked.app is not None:
        app = find_app_by_code(asked.app)
        if app is None:
            raise ReportRefused(f"There is no app with code {asked.app!r}.")
        app_id = app.id
    if asked.rating is not None and asked.rating not in RATINGS:
        raise ReportRefused("A rating is like or dislike.")
    return ReportScope(
        app_id=app_id,
        end_user_ids=_people(asked),
        since=asked.since,
        until=asked.until,
        rating=asked.rating,
        mode=asked.mode,
        status=asked.status,
        words=asked.words or None,
    )


def end_users_named(reference: str) -> list[uuid.UUID]:
    """Return the ids of the end users with this session id, or this id, in whatever app."""
    return list_end_user_ids(reference, id_or_none(reference))


def id_or_none(text: str) -> uuid.UUID | None:
    """Return a text as an id; None where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def place_of(following: str | None) -> PagePlace | None:
    """Return where the page begins that `following` asks for. Raises ReportRefused for a text that no page gave."""
    if following is None:
        return None
    moment, _, row_id = following.partition("_")
    wanted = id_or_none(row_id)
    try:
        time = datetime.datetime.fromisoformat(moment)
    except ValueError:
        time = None
    if wanted is None or time is None or time.tzinfo is None:
        raise ReportRefused("No page of this report begins there.")
    return PagePlace(time, wanted)


def page_of(rows: Sequence[Row], limit: int, place: Callable[[Row], PagePlace]) -> ReportPage[Row]:
    """Return a page of `limit` rows, of which one more was read where there are more."""
    shown = rows[:limit]
    if len(rows) <= limit:
        return ReportPage(shown, None)
    moment, row_id = place(shown[-1])
    # `Z`: a plus sign would be a blank in a query string.
    return ReportPage(shown, f"{moment.astimezone(datetime.UTC).isoformat().removesuffix('+00:00')}Z_{row_id}")


@contextlib.contextmanager
def bounded(seconds: float = REPORT_SECONDS) -> Iterator[Any]:
    """Lend a connection on which a report may take so many seconds. Raises ReportRefused where it takes longer."""
    try:
        with db.engine.begin() as connection:
            limit_time(connection, seconds)
            yield connection
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != _QUERY_CANCELED:
            raise
        raise ReportRefused(
            f"This took longer than {seconds:.0f} seconds: narrow it to an app, or to a span of time."
        ) from None


def _people(asked: ReportFilter) -> tuple[uuid.UUID, ...] | None:
    """Return the end users that are named; None where none is."""
    found: list[set[uuid.UUID]] = []
    if asked.end_user is not None:
        found.append(set(end_users_named(asked.end_user)))
        if not found[-1]:
            raise ReportRefused(f"There is no end user with the session id or id {asked.end_user!r}.")
    if asked.account is not None:
        found.append(set(list_end_user_ids_of_account(asked.account.strip().lower())))
        if not found[-1]:
            raise ReportRefused(f"No account {asked.account!r} has used an app.")
    return tuple(set.intersection(*found)) if found else None
