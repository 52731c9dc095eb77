"""Who may use an app (contract README §5): access modes and the check of an account."""

import enum
import uuid

from flask import current_app

from app.errors import InvalidParam
from app.models import accounts
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp


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
    account = _identifier(account_id)
    everybody = app.access_mode == AccessMode.PRIVATE_ALL
    return account is not None and accounts.may_enter(account, app.id, everybody)


def is_active(account_id: str) -> bool:
    """Whether there is such an account and it is not banned."""
    account = _identifier(account_id)
    return account is not None and accounts.is_active(account)


def _identifier(account_id: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(account_id)
    except ValueError:
        return None
