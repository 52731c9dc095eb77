"""What a page reads before it opens: the bodies of GET /parameters, /site and /meta."""

import functools
import uuid
from collections.abc import Mapping
from typing import Any

from app.errors import AppUnavailable
from app.providers.operator_files import InvalidOperatorFile
from app.services.auth import mails
from app.services.definitions.app_configs import FEATURE_DEFAULTS, FILE_UPLOAD_DEFAULT, MODEL_CONFIG_MODES
from app.services.definitions.app_tools import tools_of
from app.services.definitions.input_fields import start_fields
from app.services.definitions.published_apps import PublishedApp
from app.services.process.tool_registry import tool_registry
from app.tools.tool_types import ToolChoice

DEFAULT_ICON = "🤖"
DEFAULT_ICON_BACKGROUND = "#FFEAD5"
TOOL_ICON = {"background": "#252525", "content": "😀"}
REMEMBERED_APPS = 256

_WORKFLOW_FEATURES: Mapping[str, dict[str, Any]] = {
    **FEATURE_DEFAULTS,
    "retriever_resource": {"enabled": False},
    "sensitive_word_avoidance": {"enabled": False, "type": "", "configs": []},
}


def parameters(app: PublishedApp, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Features, input form and limits (settings UPLOAD_LIMITS_MB and WORKFLOW_FILE_LIMIT). Raises AppUnavailable.

    The values are shared: not to be changed.
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
    """Title and looks of the app's page; of a form's page, which knows no end user. The values are shared: not to be changed."""
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
    """The icons of the app's tools: a URL, or a background and an emoji. No tool server is asked."""
    return {"tool_icons": {choice.name: _tool_icon(choice) for choice in tools_of(app.definition)}}


def system_features(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What of the installation is not at its default: whether and how visitors log in, whether mails go out."""
    login = settings["WEB_APP_AUTH"] == "on"
    return {
        "is_email_setup": bool(settings["SMTP_URL"]),
        "webapp_auth": {
            "enabled": login,
            "allow_email_password_login": login,
            "allow_email_code_login": login and mails.can_be_read(settings),
        },
    }


@functools.lru_cache(maxsize=REMEMBERED_APPS)
def features(app: PublishedApp) -> dict[str, Any]:
    """The part of GET /parameters that the app file says. Raises AppUnavailable. The values are shared: not to be changed."""
    if app.mode in MODEL_CONFIG_MODES:
        config, defaults = app.definition.get("model_config"), FEATURE_DEFAULTS
        form = _entries(config, "user_input_form")
    else:
        workflow = app.definition.get("workflow")
        # A file may leave its features out; a workflow without a graph is none.
        config = (workflow.get("features") or {}) if isinstance(workflow, dict) and workflow.get("graph") else None
        defaults = _WORKFLOW_FEATURES
        form = [{str(variable.get("type", "text-input")): variable} for variable in start_fields(workflow or {})]
    if not isinstance(config, dict):
        raise AppUnavailable
    return {
        "opening_statement": config.get("opening_statement"),
        "suggested_questions": _texts(config.get("suggested_questions")),
        **{name: _configured(config, name, default) for name, default in defaults.items()},
        "user_input_form": form,
        "file_upload": _configured(config, "file_upload", FILE_UPLOAD_DEFAULT),
    }


@functools.lru_cache(maxsize=REMEMBERED_APPS)
def _site(app: PublishedApp) -> dict[str, Any]:
    looks = app.definition.get("app") or {}
    kind = looks.get("icon_type") or "emoji"
    # An image is a file of the installation that the app file comes from.
    shown = kind != "image"
    return {
        "title": app.name,
        "chat_color_theme": None,
        "chat_color_theme_inverted": False,
        "icon_type": kind if shown else "emoji",
        "icon": (looks.get("icon") if shown else None) or DEFAULT_ICON,
        "icon_background": looks.get("icon_background") or DEFAULT_ICON_BACKGROUND,
        "icon_url": None,
        "description": None,
        "copyright": None,
        "privacy_policy": None,
        "custom_disclaimer": "",
        "default_language": "en-US",
        "prompt_public": False,
        "show_workflow_steps": True,
        "use_icon_as_answer_icon": looks.get("use_icon_as_answer_icon") is True,
    }


def _tool_icon(choice: ToolChoice) -> Any:
    try:
        return tool_registry().icon(choice) or TOOL_ICON
    except InvalidOperatorFile:
        return TOOL_ICON


def _configured(config: Mapping[str, Any], name: str, default: dict[str, Any]) -> dict[str, Any]:
    value = config.get(name)
    return value if isinstance(value, dict) and value else default


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []


def _entries(config: Any, name: str) -> list[dict[str, Any]]:
    entries = config.get(name) if isinstance(config, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
