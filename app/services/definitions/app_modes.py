"""Refuse requests that an app's mode does not allow (contract README §9)."""

from app.errors import AppError, InvalidParam, NotCompletionApp, NotWorkflowApp
from app.services.definitions.published_apps import PublishedApp

CHAT_FAMILY = ("chat", "agent-chat", "advanced-chat")


def require_chat_family(app: PublishedApp, otherwise: type[AppError]) -> None:
    """Refuse apps without conversations. Raises `otherwise`."""
    if app.mode not in CHAT_FAMILY:
        raise otherwise


def require_streaming(app: PublishedApp, streaming: bool) -> None:
    """Refuse blocking requests to agents, which answer in streams alone. Raises InvalidParam."""
    if app.mode == "agent-chat" and not streaming:
        raise InvalidParam("Agent Chat App does not support blocking mode")


def require_completion(app: PublishedApp) -> None:
    """Refuse all but completion apps. Raises NotCompletionApp."""
    if app.mode != "completion":
        raise NotCompletionApp


def require_workflow(app: PublishedApp) -> None:
    """Refuse all but workflow apps; chatflows are asked as chats are. Raises NotWorkflowApp."""
    if app.mode != "workflow":
        raise NotWorkflowApp
