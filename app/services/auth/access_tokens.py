"""Issue and check access tokens, which prove a login to apps that are not public (contract README §4.2, §5.4)."""

import time
import uuid
from typing import NamedTuple

from flask import current_app

from app.errors import Unauthorized, WebSsoAuthRequired
from app.services.auth import access, tokens
from app.services.definitions.published_apps import PublishedApp

SOURCE = "webapp_login_token"
LOGIN_LIVES = 24


class AccountLogin(NamedTuple):
    """Who logged in, as an access token says.

    `user_id`: the account's id, or the identity provider's id of its user. `kind`: INTERNAL or EXTERNAL.
    `expires`: when the login ends, in Unix seconds.
    """

    user_id: str
    email: str
    kind: str
    expires: int


def issue(account_id: uuid.UUID, email: str) -> str:
    """Return a token for an account that has just logged in, valid for 24 times ACCESS_TOKEN_MINUTES."""
    claims = {
        "sub": tokens.SUBJECT,
        "user_id": str(account_id),
        "session_id": email,
        "token_source": SOURCE,
        "auth_type": access.INTERNAL,
        "exp": int(time.time()) + LOGIN_LIVES * current_app.config["ACCESS_TOKEN_MINUTES"] * 60,
    }
    return tokens.sign(claims)


def login_for(app: PublishedApp, token: str) -> AccountLogin:
    """Return the login that a token proves.

    Raises WebSsoAuthRequired where the token is not valid or its login is not for this app, Unauthorized for a token of
    another kind.
    """
    try:
        claims = tokens.decode(token, tokens.server_keys())
    except Unauthorized:
        raise WebSsoAuthRequired from None
    if claims.get("token_source") != SOURCE:
        raise Unauthorized("Invalid token source.")
    login = AccountLogin(
        str(claims.get("user_id") or ""),
        str(claims.get("session_id") or ""),
        str(claims.get("auth_type")),
        _expiry(claims),
    )
    if login.kind != access.login_kind(app) or not login.user_id or not login.email:
        raise WebSsoAuthRequired
    if login.kind == access.INTERNAL and not access.is_active(login.user_id):
        raise WebSsoAuthRequired
    return login


def is_login_for(app: PublishedApp, token: str) -> bool:
    """Whether the token proves a login for this app."""
    try:
        login_for(app, token)
    except (Unauthorized, WebSsoAuthRequired):
        return False
    return True


def _expiry(claims: dict[str, object]) -> int:
    """Return when the login ends. Tokens of identity providers may lack it: then after ACCESS_TOKEN_MINUTES."""
    expires = claims.get("exp")
    return (
        int(expires)
        if isinstance(expires, int | float)
        else int(time.time()) + current_app.config["ACCESS_TOKEN_MINUTES"] * 60
    )
