"""Describe an app and the installation to pages: the bodies of GET /parameters, /site, /meta and /system-features."""

import uuid
from collections.abc import Mapping
from typing import Any

from app.providers.operator_files import InvalidOperatorFile
from app.services.auth import mails
from app.services.definitions.features import FEATURES
from app.services.definitions.published_apps import PublishedApp
from app.services.process.tool_registry import tool_registry
from app.tools.tool_types import ToolChoice

DEFAULT_ICON = "🤖"
DEFAULT_ICON_BACKGROUND = "#FFEAD5"
TOOL_ICON = {"background": "#252525", "content": "😀"}


def parameters(app: PublishedApp, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return features, input form and upload limits in MB. Callers must not change the values, which are shared.

    Raises AppUnavailable.
    """
    limits = settings["UPLOAD_LIMITS_MB"]
    return {
        **features(app),
        "system_parameters": {
            "image_file_size_limit": limits["image"],
            "video_file_size_limit": limits["video"],
            "audio_file_size_limit": limits["audio"],
            "file_size_limit": limits["document"],
            "workflow_file_upload_limit": settings["WORKFLOW_FILE_LIMIT"],
        },
    }


def site(app: PublishedApp, end_user_id: uuid.UUID | str | None = None) -> dict[str, Any]:
    """Return title and looks of an app's page. `end_user_id`: None on a form's page, whose reader is no end user."""
    return {
        "app_id": str(app.id),
        "end_user_id": None if end_user_id is None else str(end_user_id),
        "enable_site": True,
        "site": _site(app),
        "model_config": None,
        "plan": "basic",
        "can_replace_logo": False,
        "custom_config": None,
    }


def meta(app: PublishedApp) -> dict[str, Any]:
    """Return the icon of each tool of the app: a URL, or a background and an emoji. Asks no tool server."""
    return {"tool_icons": {choice.name: _tool_icon(choice) for choice in app.definition.tools()}}


def system_features(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from the defaults: whether and how end users log in, whether mail can be sent."""
    login = settings["WEB_APP_AUTH"] == "on"
    by_code = login and mails.can_be_read(settings)
    # The sign-in page goes by the flags of the top level (contract endpoints.md, GET /system-features).
    shown = {"enable_email_code_login": by_code, "enable_email_password_login": True} if login else {}
    return {
        **shown,
        "is_email_setup": bool(settings["SMTP_URL"]),
        "webapp_auth": {
            "enabled": login,
            "allow_email_password_login": login,
            "allow_email_code_login": by_code,
        },
    }


def features(app: PublishedApp) -> dict[str, Any]:
    """Return what GET /parameters shows of the app file, as it is stored: shared, not to be changed.

    Raises AppUnavailable.
    """
    found = app.definition.features(app.mode)
    return {
        "opening_statement": found.stored.get("opening_statement"),
        "suggested_questions": list(found.suggested_questions),
        **{name: getattr(found, name).stored for name in FEATURES},
        "user_input_form": [{field.type: field.stored} for field in app.definition.input_form(app.mode)],
    }


def _site(app: PublishedApp) -> dict[str, Any]:
    looks = app.definition.app
    # An image is a file on the server from which the app was exported, so the default icon is shown.
    shown = looks.icon_type != "image"
    return {
        "title": app.name,
        "chat_color_theme": None,
        "chat_color_theme_inverted": False,
        "icon_type": (looks.icon_type if shown else None) or "emoji",
        "icon": (looks.icon if shown else None) or DEFAULT_ICON,
        "icon_background": looks.icon_background or DEFAULT_ICON_BACKGROUND,
        "icon_url": None,
        "description": None,
        "copyright": None,
        "privacy_policy": None,
        "custom_disclaimer": "",
        "default_language": "en-US",
        "prompt_public": False,
        "show_workflow_steps": True,
        "use_icon_as_answer_icon": looks.use_icon_as_answer_icon,
    }


def _tool_icon(choice: ToolChoice) -> Any:
    try:
        return tool_registry().icon(choice) or TOOL_ICON
    except InvalidOperatorFile:
        return TOOL_ICON
