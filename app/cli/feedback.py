"""`flask feedback …`: list and export what people thought of answers."""

import dataclasses
import pathlib
import textwrap

from app.cli.exports import export_options, write_export
from app.cli.groups import OperatorGroup
from app.cli.output import as_json_option, print_json, print_table, utc_time
from app.cli.report_options import filter_options, page_options, tell_following
from app.services.reports import conversation_reports, exports
from app.services.reports.export_formats import Format
from app.services.reports.exports import ExportedFeedback
from app.services.reports.report_filters import ReportFilter

TEXT_WIDTH = 60

feedback_group = OperatorGroup("feedback", help="Show and export what people thought of answers.")


@feedback_group.command("list")
@filter_options("app", "since", "until", "end_user", "account", "rating", "mode", "words")
@page_options
@as_json_option
def list_feedback(asked: ReportFilter, limit: int, after: str | None, as_json: bool) -> None:
    """List rated messages, the newest first. Times are the messages'."""
    page = conversation_reports.list_feedback(asked, after, limit)
    if as_json:
        print_json({"data": [dataclasses.asdict(row) for row in page.rows], "following": page.following})
        return
    rows = [
        (
            row.message_id,
            row.conversation_id,
            row.app,
            utc_time(row.created_at),
            row.rating,
            row.account or row.end_user,
            textwrap.shorten(row.content or "", TEXT_WIDTH, placeholder="…"),
            textwrap.shorten(row.query, TEXT_WIDTH, placeholder="…"),
        )
        for row in page.rows
    ]
    print_table(("MESSAGE", "CONVERSATION", "APP", "ASKED", "RATING", "END USER", "WORDS", "QUESTION"), rows)
    tell_following(page)


@feedback_group.command("export")
@filter_options("app", "since", "until", "end_user", "account", "rating", "mode", "words")
@export_options
def export_feedback(asked: ReportFilter, form: Format | None, file: pathlib.Path | None, progress: bool | None) -> None:
    """Export rated messages with question and answer, one a line, the oldest first."""
    write_export(exports.export_feedback(asked), ExportedFeedback, form, file, progress)
