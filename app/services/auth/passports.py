"""Issue and check passports, and decide whom they let in (contract README §4.2, §5.3)."""

import functools
import hashlib
import hmac
import time
import uuid
from typing import NamedTuple

from flask import current_app

from app.errors import NotFound, TokenExpired, TokenInvalid, Unauthorized, WebAppAccessDenied, WebSsoAuthRequired
from app.services.auth import access, access_tokens, end_users, tokens
from app.services.auth.access_tokens import AccountLogin
from app.services.definitions.published_apps import PublishedApp, by_code

LOGGED_IN = "webapp"
REMEMBERED_PASSPORTS = 4_096


class Claims(NamedTuple):
    """What a passport says of its holder. The last four come from a login; `granted_at` in Unix seconds."""

    app_id: str
    app_code: str
    end_user_id: str
    token_source: str | None
    user_id: str | None
    auth_type: str | None
    granted_at: int | None


def app_to_visit(code: str) -> PublishedApp:
    """Return the app of this code. Raises NotFound, also where its site is disabled (old passports get 400 there)."""
    app = by_code(code)
    if app is None or not app.enabled:
        raise NotFound
    return app


def visit(app: PublishedApp, user_id: str | None, access_token: str) -> str:
    """Return a passport for the end user that `user_id` claims; where the app is not public, for the token's account.

    Raises Unauthorized, WebSsoAuthRequired.
    """
    if access.is_open(app):
        return _issue(app, end_users.find_or_make(app.id, claimed_session(user_id)))
    login = access_tokens.login_for(app, access_token)
    return _issue(app, end_users.find_or_make(app.id, login.email, end_users.ACCOUNT), login)


def _issue(app: PublishedApp, end_user_id: uuid.UUID, login: AccountLogin | None = None) -> str:
    """Sign a passport. One for a public app does not expire, one by a login ends with it."""
    whose = {
        "iss": str(app.id),
        "sub": tokens.SUBJECT,
        "app_id": str(app.id),
        "app_code": app.code,
        "end_user_id": str(end_user_id),
    }
    if login is None:
        return tokens.sign(whose)
    granted = {
        "user_id": login.user_id,
        "auth_type": login.kind,
        "granted_at": int(time.time()),
        "token_source": LOGGED_IN,
    }
    return tokens.sign({**whose, **granted, "exp": login.expires})


def verify(passport: str) -> Claims:
    """Return the claims of a valid passport. Raises TokenExpired, TokenSignatureInvalid, TokenInvalid."""
    claims, expires = _decode(passport, tokens.server_keys())
    if expires is not None and expires <= time.time():
        raise TokenExpired
    return claims


def check_access(app: PublishedApp, claims: Claims) -> None:
    """Check that a valid passport lets its holder use the app.

    Raises Unauthorized, WebSsoAuthRequired, WebAppAccessDenied.
    """
    logged_in = claims.token_source == LOGGED_IN
    if access.is_open(app):
        if logged_in:
            raise Unauthorized("webapp token expired.")
        return
    if not logged_in or not claims.user_id:
        raise WebSsoAuthRequired
    if claims.auth_type is None or claims.granted_at is None:
        raise WebAppAccessDenied
    if claims.auth_type != access.login_kind(app):
        raise WebSsoAuthRequired
    if not access.may_enter(app, claims.user_id):
        raise WebAppAccessDenied


def permitted(app_id: str, passport: str) -> bool:
    """Whether the holder of a passport may use an app; False for a passport that nobody logged in for.

    Raises InvalidParam for an unknown app, Unauthorized for an invalid passport.
    """
    if not access.authentication_is_on():
        return True
    app = access.app_of_id(app_id)
    if not access.is_checked(app):
        return True
    claims = verify(passport)
    if claims.app_id != str(app.id):
        raise TokenInvalid
    return bool(claims.user_id) and access.may_enter(app, claims.user_id or "")


@functools.lru_cache(maxsize=REMEMBERED_PASSPORTS)
def _decode(passport: str, keys: tuple[str, ...]) -> tuple[Claims, int | None]:
    """Return the claims and when they expire, in Unix seconds.

    Remembered, since an end user sends the same passport with each request; what raises is not remembered.
    """
    claims = tokens.decode(passport, keys)
    try:
        app_id, end_user_id = str(uuid.UUID(claims["app_id"])), str(uuid.UUID(claims["end_user_id"]))
        # Without a code the passport names a site that does not exist, which callers answer by SiteGone.
        code, granted = str(claims.get("app_code", "")), claims.get("granted_at")
        holder = Claims(
            app_id=app_id,
            app_code=code,
            end_user_id=end_user_id,
            token_source=claims.get("token_source"),
            user_id=claims.get("user_id"),
            auth_type=claims.get("auth_type"),
            granted_at=granted if granted is None else int(granted),
        )
        return holder, int(claims["exp"]) if "exp" in claims else None
    except (KeyError, ValueError, TypeError, AttributeError):
        raise TokenInvalid from None


def claimed_session(user_id: str | None) -> str | None:
    """Return the session that `?user_id=` claims, as PASSPORT_USER_ID allows; None for a new one.

    `open`: as given. `signed`: `id.hmac`, the hex HMAC-SHA256 of the id under the server's key; another raises
    Unauthorized. `off`: ignored, so that every passport is for a new end user.
    """
    policy = current_app.config["PASSPORT_USER_ID"]
    if not user_id or policy == "off":
        return None
    if policy == "open":
        return user_id
    name, _, signature = user_id.rpartition(".")
    signatures = [hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest() for key in tokens.server_keys()]
    if not name or not any(hmac.compare_digest(signature.encode(), expected.encode()) for expected in signatures):
        raise Unauthorized("The user id is not signed by this server's key.")
    return name
