"""/operator/conversations: who asked what, and how the answers came about."""

from flask import Blueprint
from werkzeug.wrappers import Response as AnyResponse

from app.pages.operator import filters
from app.pages.operator.guard import operators_only
from app.pages.operator.rendering import export, page
from app.services.files.file_values import shown_files
from app.services.operator import apps
from app.services.reports import conversation_reports, exports
from app.services.reports.export_formats import Format
from app.services.reports.exports import ExportedAnswer

MESSAGES = 20
STATUSES = ("normal", "error", "paused")


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes."""
    blueprint.add_url_rule("/conversations", "conversations", operators_only(_list))
    blueprint.add_url_rule("/conversations/export.<any(jsonl,csv):form>", "export_answers", operators_only(_export))
    blueprint.add_url_rule("/conversations/<uuid:conversation_id>", "conversation", operators_only(_show))


def _list() -> AnyResponse:
    asked = filters.asked("app", "end_user", "account", "rating", "status", "words")
    found = conversation_reports.list_conversations(asked, filters.following(), filters.PAGE_ROWS)
    return page("conversations.html", found=found, apps=apps.list_apps(), statuses=STATUSES)


def _export(form: Format) -> AnyResponse:
    asked = filters.asked("app", "end_user", "account", "rating", "status", "words")
    return export(exports.export_answers(asked), ExportedAnswer, form, "answers")


def _show(conversation_id: object) -> AnyResponse:
    details = conversation_reports.show_conversation(str(conversation_id), filters.following(), MESSAGES)
    return page("conversation.html", summary=details.summary, found=details.messages, shown_files=shown_files)
