"""List the apps of this installation that anybody may open, for its index page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.extensions import db
from app.models.apps import list_app_summaries
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp
from app.services.visitor import app_info

# The page of an app's mode; all others have the chat page.
PLACES = {"workflow": "workflow", "completion": "completion"}


class ListedApp(NamedTuple):
    """An app as the index shows it."""

    code: str
    mode: str
    title: str
    description: str
    icon: str


def list_open_apps(settings: Mapping[str, Any]) -> list[ListedApp]:
    """Return the enabled apps, by name; where people log in, those that ask for no login."""
    login = settings["WEB_APP_AUTH"] == "on"
    summaries = sorted(list_app_summaries(db.session.connection()), key=lambda app: (app.name.casefold(), app.code))
    found = [
        published_apps.by_code(app.code)
        for app in summaries
        if app.enabled and (app.access_mode == "public" or not login)
    ]
    return [_listed(app) for app in found if app is not None]


def _listed(app: PublishedApp) -> ListedApp:
    site = app_info.site(app)["site"]
    description = site["description"] or app.definition.app.description or ""
    return ListedApp(app.code, app.mode, site["title"], description, site["icon"])


def page_path(mode: str, code: str) -> str:
    """Return the path of an app's page on this server."""
    return f"/{PLACES.get(mode, 'chat')}/{code}"
