"""Passports: what they claim, making and checking them (contract README §4.2)."""

import functools
import hashlib
import hmac
import time
import uuid
from typing import NamedTuple

import jwt

from app.errors import NotFound, PassportExpired, PassportInvalid, PassportSignatureInvalid, Unauthorized
from app.services.published_apps import PublishedApp, by_code

ALGORITHM = "HS256"
SUBJECT = "Web API Passport"
REMEMBERED_PASSPORTS = 4_096


class Claims(NamedTuple):
    """What a passport says of its holder."""

    app_id: str
    app_code: str
    end_user_id: str
    token_source: str | None


def app_to_visit(code: str) -> PublishedApp:
    """The app of this code. Raises NotFound, also where its site is disabled (an old passport gives 400 there)."""
    app = by_code(code)
    if app is None or not app.enabled:
        raise NotFound
    return app


def issue(app: PublishedApp, end_user_id: uuid.UUID, key: str) -> str:
    """A passport for a public app; it does not expire."""
    claims = {
        "iss": str(app.id), "sub": SUBJECT, "app_id": str(app.id), "app_code": app.code, "end_user_id": str(end_user_id),
    }  # fmt: skip
    return jwt.encode(claims, key, ALGORITHM)


def verify(passport: str, key: str) -> Claims:
    """Raises PassportExpired, PassportSignatureInvalid, PassportInvalid."""
    claims, expires = _decode(passport, key)
    if expires is not None and expires <= time.time():
        raise PassportExpired
    return claims


@functools.lru_cache(maxsize=REMEMBERED_PASSPORTS)
def _decode(passport: str, key: str) -> tuple[Claims, int | None]:
    """The claims and when they expire. Good passports alone are remembered: a visitor shows the same one each time."""
    try:
        claims = jwt.decode(passport, key, [ALGORITHM], options={"verify_aud": False})
    except jwt.ExpiredSignatureError:
        raise PassportExpired from None
    except jwt.InvalidSignatureError:
        raise PassportSignatureInvalid from None
    except jwt.InvalidTokenError:
        raise PassportInvalid from None
    try:
        app_id, end_user_id = str(uuid.UUID(claims["app_id"])), str(uuid.UUID(claims["end_user_id"]))
        # A passport without a code names a site that is not there, which has an answer of its own.
        whose = Claims(app_id, str(claims.get("app_code", "")), end_user_id, claims.get("token_source"))
        return whose, int(claims["exp"]) if "exp" in claims else None
    except (KeyError, ValueError, TypeError, AttributeError):
        raise PassportInvalid from None


def claimed_session(user_id: str | None, policy: str, key: str) -> str | None:
    """The session that `?user_id=` claims under PASSPORT_USER_ID.

    `open`: as given. `signed`: `id.hmac`, the hex HMAC-SHA256 of the id under the server's key; another raises
    Unauthorized. `off`: nothing is believed, every passport is a new visitor's.
    """
    if not user_id or policy == "off":
        return None
    if policy == "open":
        return user_id
    name, _, signature = user_id.rpartition(".")
    expected = hmac.new(key.encode(), name.encode(), hashlib.sha256).hexdigest()
    if not name or not hmac.compare_digest(signature.encode(), expected.encode()):
        raise Unauthorized("The user id is not signed by this server's key.")
    return name
