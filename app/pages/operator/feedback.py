"""/operator/feedback: what people liked and disliked, and what they wrote with it."""

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from app.pages.operator import filters
from app.pages.operator.guard import operators_only
from app.pages.operator.rendering import export, page
from app.services.operator import apps
from app.services.reports import conversation_reports, exports
from app.services.reports.export_formats import Format
from app.services.reports.exports import ExportedFeedback


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/feedback/export.<any(jsonl,csv):form>", "export_feedback", operators_only(_export))
    blueprint.add_url_rule("/feedback", "feedback", operators_only(_list))


def _export(form: Format) -> AnyResponse:
    asked = filters.asked("app", "end_user", "account", "rating", "words")
    return export(exports.export_feedback(asked), ExportedFeedback, form, "feedback")


def _list() -> AnyResponse:
    asked = filters.asked("app", "end_user", "account", "rating", "words")
    found = conversation_reports.list_feedback(asked, filters.following(), filters.PAGE_ROWS)
    return page("feedback.html", found=found, apps=apps.list_apps())
