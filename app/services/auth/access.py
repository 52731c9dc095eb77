"""Who may use an app (contract README §5): access modes and the check of an account."""

import enum
import uuid
from typing import Any

from flask import current_app
from sqlalchemy import TextClause, text

from app.errors import InvalidParam
from app.extensions import autocommit_engine
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp

_MAY_ENTER = text(
    "SELECT NOT banned AND (:everybody OR EXISTS"
    " (SELECT 1 FROM app_members WHERE app_members.app_id = :app_id AND app_members.account_id = accounts.id))"
    " FROM accounts WHERE id = :account_id"
)
_IS_ACTIVE = text("SELECT NOT banned FROM accounts WHERE id = :account_id")


class AccessMode(enum.StrEnum):
    """Contract README §5.2."""

    PUBLIC = "public"
    PRIVATE = "private"
    PRIVATE_ALL = "private_all"
    SSO_VERIFIED = "sso_verified"


INTERNAL, EXTERNAL = "internal", "external"
_CHECKED = (AccessMode.PRIVATE, AccessMode.PRIVATE_ALL)


def authentication_is_on() -> bool:
    """Web-app authentication; off, every app is public."""
    return bool(current_app.config["WEB_APP_AUTH"] == "on")


def is_open(app: PublishedApp) -> bool:
    """Whether anybody may use the app."""
    return not authentication_is_on() or app.access_mode == AccessMode.PUBLIC


def is_checked(app: PublishedApp) -> bool:
    """Whether it depends on the account who may use the app."""
    return authentication_is_on() and app.access_mode in _CHECKED


def login_kind(app: PublishedApp) -> str:
    """Whose logins count for an app that is not open: ours, or those of an identity provider."""
    return EXTERNAL if app.access_mode == AccessMode.SSO_VERIFIED else INTERNAL


def mode_of(app_id: str | None, app_code: str | None) -> str:
    """The access mode of an app that is named by either. Raises InvalidParam where authentication is on and no app is named."""
    if not authentication_is_on():
        return AccessMode.PUBLIC
    if not app_id and not app_code:
        raise InvalidParam("appId or appCode must be provided")
    return (app_of_id(app_id) if app_id else app_of_code(app_code or "")).access_mode


def app_of_code(code: str) -> PublishedApp:
    """Raises InvalidParam where there is no such app."""
    app = published_apps.by_code(code)
    if app is None:
        raise InvalidParam(f"App with code {code} not found")
    return app


def app_of_id(app_id: str) -> PublishedApp:
    """Raises InvalidParam where there is no such app."""
    try:
        app = published_apps.by_id(uuid.UUID(app_id))
    except ValueError:
        app = None
    if app is None:
        raise InvalidParam(f"App with ID {app_id} not found")
    return app


def may_enter(app: PublishedApp, account_id: str) -> bool:
    """Whether this account may use the app; asked anew each time, so that a change counts at once."""
    if not is_checked(app):
        return True
    values = {"everybody": app.access_mode == AccessMode.PRIVATE_ALL, "app_id": app.id}
    return _ask(_MAY_ENTER, account_id, **values)


def is_active(account_id: str) -> bool:
    """Whether there is such an account and it is not banned."""
    return _ask(_IS_ACTIVE, account_id)


def _ask(question: TextClause, account_id: str, **values: Any) -> bool:
    try:
        identifier = uuid.UUID(account_id)
    except ValueError:
        return False
    with autocommit_engine().connect() as connection:
        return bool(connection.execute(question, {"account_id": identifier, **values}).scalar())
