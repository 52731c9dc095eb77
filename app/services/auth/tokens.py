"""Signed tokens (JWT, HS256): the first key of SECRET_KEY signs, all of them are accepted (contract README §4.2)."""

from typing import Any

import jwt
from flask import current_app

from app.errors import TokenExpired, TokenInvalid, TokenSignatureInvalid

ALGORITHM = "HS256"
SUBJECT = "Web API Passport"


def server_keys() -> tuple[str, ...]:
    """The keys that are accepted; the first one signs."""
    return (current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"])


def sign(claims: dict[str, Any]) -> str:
    return jwt.encode(claims, server_keys()[0], ALGORITHM)


def decode(token: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """A token's claims. Raises TokenExpired, TokenSignatureInvalid, TokenInvalid."""
    for key in keys:
        try:
            # No other algorithm: neither `none` nor one for which our key is something else.
            claims: dict[str, Any] = jwt.decode(token, key, [ALGORITHM], options={"verify_aud": False})
            return claims
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            raise TokenInvalid from None
    raise TokenSignatureInvalid
