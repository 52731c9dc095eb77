"""Identify the caller of a request, app and end user, by the passport (contract README §4.3)."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request

from app.api.client_address import client_address
from app.api.cors import cookies_are_trusted
from app.api.request_lines import note_app
from app.errors import AppError, NotFound, PassportMissing, SiteDisabled, SiteGone, Unauthorized, WebSsoAuthRequired
from app.models.owners import Owner
from app.services.auth import access, end_users, passports
from app.services.auth.asker import Asker
from app.services.auth.end_users import EndUserIdentity
from app.services.auth.passports import Claims
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp

ACCESS_TOKEN_COOKIE = "webapp_access_token"
HOST_PREFIX = "__Host-"


@dataclass(frozen=True)
class Caller:
    """Who calls: an end user of an app; `account_id` where an account is logged in."""

    app: PublishedApp
    end_user: EndUserIdentity
    account_id: str | None = None

    @property
    def asker(self) -> Asker:
        """For whom this request counts."""
        return Asker(self.app.id, self.end_user.id, self.account_id, client_address())

    @property
    def owner(self) -> Owner:
        """The owner of the rows that the caller may see."""
        return Owner(self.app.id, self.end_user.id)


def caller_required(method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a route's method its argument `caller`. Raises the errors of contract README §4.3."""

    @functools.wraps(method)
    def with_caller(*args: Any, **kwargs: Any) -> Any:
        return method(*args, caller=identify(passport_of_request()), **kwargs)

    return with_caller


def requires_web_app_auth(method: Callable[..., Any]) -> Callable[..., Any]:
    """Hide a route while web-app authentication is off: it raises NotFound then (contract README §5.5)."""

    @functools.wraps(method)
    def gated(*args: Any, **kwargs: Any) -> Any:
        if not access.authentication_is_on():
            raise NotFound
        return method(*args, **kwargs)

    return gated


def passport_of_request() -> str:
    """Return the request's passport, unverified; empty if there is none.

    It is the cookie for the app code that the request names, else the header.
    """
    code = request.headers.get("X-App-Code")
    return (_cookie(f"passport-{code}") if code else "") or request.headers.get("X-App-Passport", "").strip()


def access_token_of_request() -> str:
    """Return the request's access token, unverified: the cookie, else the header; empty if there is none."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return _cookie(ACCESS_TOKEN_COOKIE) or (token.strip() if kind.lower() == "bearer" else "")


def identify(passport: str) -> Caller:
    """Return the caller whose passport this is. Its claims decide, whatever app code the request names."""
    claims = _claims(passport)
    app = published_apps.by_id(claims.app_id)
    if app is None:
        raise NotFound
    note_app(app)
    if app.code != claims.app_code:
        raise SiteGone
    if not app.enabled:
        raise SiteDisabled
    end_user = end_users.known(claims.end_user_id, app.id)
    if end_user is None:
        raise NotFound
    passports.check_access(app, claims)
    return Caller(app, end_user, claims.user_id)


def is_end_user_of(app: PublishedApp, user_id: str | None) -> bool:
    """Whether the request's passport is valid for this app and, if `user_id` is given, for that session."""
    try:
        session_id = passports.claimed_session(user_id)
        caller = identify(passport_of_request())
    except AppError:
        return False
    return caller.app.id == app.id and session_id in (None, caller.end_user.session_id)


def _claims(passport: str) -> Claims:
    """Verify a passport and return its claims.

    Raises Unauthorized, or WebSsoAuthRequired if the app that the request names needs a login (contract README §5.3).
    """
    try:
        if not passport:
            raise PassportMissing
        return passports.verify(passport)
    except Unauthorized:
        app = published_apps.by_code(request.headers.get("X-App-Code", "")) if access.authentication_is_on() else None
        if app is not None and not access.is_open(app):
            raise WebSsoAuthRequired from None
        raise


def _cookie(name: str) -> str:
    """Return a cookie, also under its name with the prefix `__Host-`; empty if there is none or it is not trusted."""
    if not cookies_are_trusted():
        return ""
    return (request.cookies.get(HOST_PREFIX + name) or request.cookies.get(name) or "").strip()
