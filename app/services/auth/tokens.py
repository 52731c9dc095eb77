"""Sign and read tokens (JWT, HS256): the first key of SECRET_KEY signs, all are accepted (contract README §4.2)."""

from typing import Any

import jwt
from flask import current_app

from app.errors import TokenExpired, TokenInvalid, TokenSignatureInvalid

ALGORITHM = "HS256"
SUBJECT = "Web API Passport"


def server_keys() -> tuple[str, ...]:
    """Return the accepted keys; the first one signs."""
    return (current_app.config["SECRET_KEY"], *current_app.config["SECRET_KEY_FALLBACKS"])


def sign(claims: dict[str, Any]) -> str:
    """Return a token with these claims."""
    return jwt.encode(claims, server_keys()[0], ALGORITHM)


def decode(token: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Return a token's claims. Raises TokenExpired, TokenSignatureInvalid, TokenInvalid."""
    for key in keys:
        try:
            # Only this algorithm, so that a token cannot choose `none` or one that reads our key as a public key.
            claims: dict[str, Any] = jwt.decode(token, key, [ALGORITHM], options={"verify_aud": False})
            return claims
        except jwt.ExpiredSignatureError:
            raise TokenExpired from None
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            raise TokenInvalid from None
    raise TokenSignatureInvalid
