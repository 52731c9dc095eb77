"""What calls of the operators' API ask for, and how rows of reports are answered."""

import datetime
from collections.abc import Iterable
from typing import Annotated, Any

import orjson
from flask import Response, stream_with_context
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.services.reports import export_formats
from app.services.reports.export_formats import Format
from app.services.reports.report_filters import RATINGS, ReportFilter, ReportPage

MOST_ROWS = 200
Named = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x1f]+$")
]


def _in_utc(moment: Any) -> Any:
    """Read a day as its beginning, and a time without a zone as one of UTC."""
    text = str(moment)
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a day or a time such as 2026-01-31 or 2026-01-31T12:00:00Z is needed") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=datetime.UTC)


Rating = Annotated[str, StringConstraints(pattern=f"^({'|'.join(RATINGS)})$")]
Moment = Annotated[datetime.datetime, BeforeValidator(_in_utc)]


class OperatorQuery(BaseModel):
    """A query string of the operators' API: a name that no report knows is refused, so that no filter is overlooked."""

    model_config = ConfigDict(extra="forbid")


class PageQuery(OperatorQuery):
    """Which page of a list. `following`: what the page before it said."""

    following: Named | None = None
    limit: int = Field(50, ge=1, le=MOST_ROWS)


class ReportQuery(OperatorQuery):
    """Which rows a report is about (`ReportFilter`)."""

    app: Named | None = None
    end_user: Named | None = None
    account: Named | None = None
    since: Moment | None = None
    until: Moment | None = None

    @property
    def filter(self) -> ReportFilter:
        """The rows that are asked for."""
        names = ReportFilter.__dataclass_fields__
        return ReportFilter(**{name: value for name, value in self.model_dump().items() if name in names})


class ConversationQuery(ReportQuery, PageQuery):
    """A list of conversations."""

    mode: Named | None = None
    rating: Rating | None = None
    status: Annotated[str, StringConstraints(pattern="^(normal|error|paused)$")] | None = None
    words: Named | None = None


class RunQuery(ReportQuery, PageQuery):
    """A list of workflow runs."""

    mode: Annotated[str, StringConstraints(pattern="^(workflow|advanced-chat)$")] | None = None
    status: (
        Annotated[str, StringConstraints(pattern="^(running|succeeded|partial-succeeded|failed|stopped|paused)$")]
        | None
    ) = None
    words: Named | None = None


class ExportQuery(ReportQuery):
    """An export of answers or of feedback. `nodes`: with the node executions of workflow runs."""

    mode: Named | None = None
    rating: Rating | None = None
    status: Named | None = None
    words: Named | None = None
    format: Format = "jsonl"
    nodes: bool = False


def export(records: Iterable[Any], kind: type, form: Format, name: str) -> Response:
    """Return records of the dataclass `kind` as a file that is sent while it is made."""
    content = stream_with_context(export_formats.blocks(export_formats.lines(records, kind, form)))
    response = Response(content, mimetype=export_formats.MIME_TYPES[form])
    response.headers["Content-Disposition"] = f"attachment; filename={name}.{form}"
    return response


def answer(value: Any) -> Response:
    """Return rows as JSON."""
    return Response(orjson.dumps(value, default=_plain), mimetype="application/json")


def answer_page(page: ReportPage[Any], limit: int) -> Response:
    """Return a page of a list as JSON."""
    more = {"limit": limit, "has_more": page.following is not None, "following": page.following}
    return answer({"data": list(page.rows)} | more)


def _plain(value: Any) -> Any:
    """Return what orjson does not know: rows that are named tuples, amounts of money, pages within answers."""
    return value._asdict() if hasattr(value, "_asdict") else str(value)
