"""The scope of a report: which rows it is about, as conditions of its statements, and where its pages begin."""

import dataclasses
import datetime
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, text

from app.models.execution import execute


@dataclasses.dataclass(frozen=True)
class ReportScope:
    """Which rows a report is about. What is None does not narrow it.

    `since` and `until`: a span of time, without its end. `rating`: like or dislike. `status`: what the report's rows
    have as such. `words`: a text that is looked for, in whatever case.
    """

    app_id: uuid.UUID | None = None
    end_user_ids: tuple[uuid.UUID, ...] | None = None
    since: datetime.datetime | None = None
    until: datetime.datetime | None = None
    rating: str | None = None
    mode: str | None = None
    status: str | None = None
    words: str | None = None

    def values(self) -> dict[str, Any]:
        """Return the parameters of all conditions."""
        values = dataclasses.asdict(self)
        if self.end_user_ids is not None:
            values["end_user_ids"] = list(self.end_user_ids)
        if self.words is not None:
            values["words"] = holding(self.words)
        return {name: value for name, value in values.items() if value is not None}


class PagePlace(NamedTuple):
    """The last row of a page: the value of its order, and its id."""

    moment: datetime.datetime
    id: uuid.UUID


_LIMIT_TIME = text("SELECT set_config('statement_timeout', CAST(:milliseconds AS text), true)")


def limit_time(connection: Connection, seconds: float) -> None:
    """Let the server end each statement of the transaction that takes longer: QueryCanceled in an OperationalError."""
    execute(_LIMIT_TIME, {"milliseconds": int(seconds * 1000)}, connection)


def narrowed(sql: str, scope: ReportScope, conditions: Mapping[str, str], place: PagePlace | None = None) -> TextClause:
    """Return a statement with those conditions in the place of `{where}` that the scope needs.

    `conditions`: SQL by the scope's fields; raises KeyError for one that the report does not have. Only what is asked
    for stands in the statement, so that an index fits it. With `place` the condition `place` is among them.
    """
    wanted = [conditions[name] for name in scope.values()]
    if place is not None:
        wanted.append(conditions["place"])
    return text(sql.replace("{where}", " AND ".join(wanted) or "true"))


def page_values(scope: ReportScope, place: PagePlace | None, most: int) -> dict[str, Any]:
    """Return the parameters of a page: those of the scope, `place_moment`, `place_id` and `most`."""
    moment, row_id = place or (None, None)
    values = scope.values() | {"most": most}
    return values if place is None else values | {"place_moment": moment, "place_id": row_id}


def holding(words: str) -> str:
    """Return the pattern of LIKE for texts that hold these words; no sign of theirs means anything else."""
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
