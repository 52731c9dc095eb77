"""Who calls: from the passport of a request to the app and the end user (contract README §4.3)."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app, request

from app.api.cors import cookies_count
from app.errors import AppError, InvalidParam, NotFound, PassportMissing, SiteDisabled, SiteGone, Unauthorized
from app.services import end_users, passports, published_apps
from app.services.conversations import Owner
from app.services.end_users import EndUserIdentity
from app.services.published_apps import PublishedApp


@dataclass(frozen=True)
class Caller:
    """An end user of an app."""

    app: PublishedApp
    end_user: EndUserIdentity

    @property
    def owner(self) -> Owner:
        return Owner(self.app.id, self.end_user.id)


def caller_required(method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a route's method its `caller`. Raises what README §4.3 lists."""

    @functools.wraps(method)
    def with_caller(*args: Any, **kwargs: Any) -> Any:
        return method(*args, caller=identify(passport_of_request()), **kwargs)

    return with_caller


def passport_of_request() -> str:
    """The passport's text: the cookie for the app code that the request names, else the header; empty where neither is there."""
    code = request.headers.get("X-App-Code")
    cookie = request.cookies.get(f"passport-{code}") if code and cookies_count() else None
    return (cookie or request.headers.get("X-App-Passport") or "").strip()


def identify(passport: str) -> Caller:
    """Whose passport this is. Its claims count, whatever app code the request names."""
    if not passport:
        raise PassportMissing
    claims = passports.verify(passport, current_app.config["SECRET_KEY"])
    app = published_apps.by_id(claims.app_id)
    if app is None:
        raise NotFound
    if app.code != claims.app_code:
        raise SiteGone
    if not app.enabled:
        raise SiteDisabled
    end_user = end_users.known(claims.end_user_id, app.id)
    if end_user is None:
        raise NotFound
    if claims.token_source == "webapp":
        raise Unauthorized("webapp token expired.")
    return Caller(app, end_user)


def has_access_token() -> bool:
    """Whether the request brings an access token of a login; it is not looked into."""
    cookie = request.cookies.get("webapp_access_token") if cookies_count() else None
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return bool(cookie or (kind.lower() == "bearer" and token.strip()))


def is_visitor_of(code: str, user_id: str | None) -> bool:
    """Whether the request's passport is good for the app of this code, and for that session if one is named.

    Raises InvalidParam where there is no such app; a bad passport is no error here.
    """
    if published_apps.by_code(code) is None:
        raise InvalidParam(f"App with code {code} not found")
    settings = current_app.config
    try:
        session_id = passports.claimed_session(user_id, settings["PASSPORT_USER_ID"], settings["SECRET_KEY"])
        caller = identify(passport_of_request())
    except AppError:
        return False
    return caller.app.code == code and session_id in (None, caller.end_user.session_id)
