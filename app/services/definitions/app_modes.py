"""Which routes an app's mode allows (contract README §9)."""

from app.errors import AppError, InvalidParam, NotCompletionApp, NotWorkflowApp
from app.services.definitions.published_apps import PublishedApp

CHAT_FAMILY = ("chat", "agent-chat", "advanced-chat")


def require_chat_family(app: PublishedApp, otherwise: type[AppError]) -> None:
    """Raises `otherwise` where the app has no conversations."""
    if app.mode not in CHAT_FAMILY:
        raise otherwise


def require_streaming(app: PublishedApp, streaming: bool) -> None:
    """Agents answer in streams alone. Raises InvalidParam."""
    if app.mode == "agent-chat" and not streaming:
        raise InvalidParam("Agent Chat App does not support blocking mode")


def require_completion(app: PublishedApp) -> None:
    """Raises NotCompletionApp."""
    if app.mode != "completion":
        raise NotCompletionApp


def require_workflow(app: PublishedApp) -> None:
    """Raises NotWorkflowApp."""
    if app.mode != "workflow":
        raise NotWorkflowApp
