"""Decide who may use an app: access modes and the check of an account (contract README §5)."""

import enum
import uuid

from flask import current_app

from app.errors import InvalidParam
from app.models import accounts
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp


class AccessMode(enum.StrEnum):
    """Who may use an app while WEB_APP_AUTH is on (contract README §5.2)."""

    PUBLIC = "public"
    PRIVATE = "private"
    PRIVATE_ALL = "private_all"
    SSO_VERIFIED = "sso_verified"


INTERNAL, EXTERNAL = "internal", "external"
_CHECKED = (AccessMode.PRIVATE, AccessMode.PRIVATE_ALL)


def authentication_is_on() -> bool:
    """Whether apps that are not public ask for a login. Where it is off, every app is public."""
    return bool(current_app.config["WEB_APP_AUTH"] == "on")


def is_open(app: PublishedApp) -> bool:
    """Whether everybody may use the app without a login."""
    return not authentication_is_on() or app.access_mode == AccessMode.PUBLIC


def is_checked(app: PublishedApp) -> bool:
    """Whether accounts of this installation may use the app, all of them or its members."""
    return authentication_is_on() and app.access_mode in _CHECKED


def login_kind(app: PublishedApp) -> str:
    """Return the kind of login that an app accepts: INTERNAL (an account here) or EXTERNAL (an identity provider)."""
    return EXTERNAL if app.access_mode == AccessMode.SSO_VERIFIED else INTERNAL


def mode_of(app_id: str | None, app_code: str | None) -> str:
    """Return the access mode of the app with this id, or with this code.

    Raises InvalidParam where authentication is on and there is no such app, or none is named.
    """
    if not authentication_is_on():
        return AccessMode.PUBLIC
    if not app_id and not app_code:
        raise InvalidParam("appId or appCode must be provided")
    return (app_of_id(app_id) if app_id else app_of_code(app_code or "")).access_mode


def app_of_code(code: str) -> PublishedApp:
    """Return the app of this code. Raises InvalidParam where there is none."""
    app = published_apps.by_code(code)
    if app is None:
        raise InvalidParam(f"App with code {code} not found")
    return app


def app_of_id(app_id: str) -> PublishedApp:
    """Return the app of this id. Raises InvalidParam where there is none."""
    try:
        app = published_apps.by_id(uuid.UUID(app_id))
    except ValueError:
        app = None
    if app is None:
        raise InvalidParam(f"App with ID {app_id} not found")
    return app


def may_enter(app: PublishedApp, account_id: str) -> bool:
    """Whether this account may use the app. Asks the database each time, so that a change takes effect at once."""
    if not is_checked(app):
        return True
    account = _identifier(account_id)
    everybody = app.access_mode == AccessMode.PRIVATE_ALL
    return account is not None and accounts.may_enter(account, app.id, everybody)


def is_active(account_id: str) -> bool:
    """Whether the account exists and is not banned."""
    account = _identifier(account_id)
    return account is not None and accounts.is_active(account)


def _identifier(account_id: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(account_id)
    except ValueError:
        return None
