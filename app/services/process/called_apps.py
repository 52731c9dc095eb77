"""Find the app that a tool of another app calls (contract dsl.md §3.7, tool node with `provider_type` `workflow`)."""

import re
import uuid

from app.models.apps import list_codes_by_name
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp
from app.tools.tool_types import ToolChoice

# The provider type of tools that are apps.
WORKFLOW = "workflow"
_SIGNS = re.compile(r"[\W_]+")


def find_called_app(choice: ToolChoice, code: str | None) -> PublishedApp | None:
    """Return the workflow app that a tool names; None where there is none, or where several could be meant.

    `code`: the app's, where the operator named it. Else the app is found by its id or code, which the file gives as
    the tool's or the provider's name, and then by the app's own name.
    """
    if code is not None:
        return _workflow(published_apps.by_code(code))
    named = [name for name in (choice.name, choice.provider, choice.provider_name) if name]
    for name in named:
        app = _workflow(published_apps.by_id(name) if _is_id(name) else published_apps.by_code(name))
        if app is not None:
            return app
    by_name: dict[str, list[str]] = {}
    for known, name in list_codes_by_name(WORKFLOW):
        by_name.setdefault(_plain(name), []).append(known)
    for name in named:
        codes = by_name.get(_plain(name), [])
        if codes and _plain(name):
            return _workflow(published_apps.by_code(codes[0])) if len(codes) == 1 else None
    return None


def _workflow(app: PublishedApp | None) -> PublishedApp | None:
    return app if app is not None and app.mode == WORKFLOW else None


def _is_id(name: str) -> bool:
    try:
        uuid.UUID(name)
    except ValueError:
        return False
    return True


def _plain(name: str) -> str:
    """Return a name as tools spell it: without case, blanks and signs."""
    return _SIGNS.sub("", name).casefold()
