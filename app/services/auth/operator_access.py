"""Let operators in: by a token of OPERATOR_TOKEN, and pages by a session that such a token began."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass

import structlog
from flask import current_app

from app.errors import TooManyRequests, Unauthorized
from app.extensions import redis_client
from app.services.auth import rate_limits, tokens

log = structlog.get_logger(__name__)

SUBJECT = "Operator Session"
SESSION_SECONDS = 12 * 3_600
# Of the form that asks for a token, before anybody has signed in.
FORM_SECONDS = 3_600
MOST_WRONG_TOKENS = 10
LOCK_SECONDS = 900


@dataclass(frozen=True)
class OperatorSession:
    """One browser's session. `token`: the fingerprint of the token that began it, empty before that.

    `expires` in Unix seconds.
    """

    id: str
    token: str
    expires: int

    @property
    def signed_in(self) -> bool:
        """Whether a token has begun it."""
        return bool(self.token)

    @property
    def seconds_left(self) -> int:
        """How long it goes on."""
        return max(0, self.expires - int(time.time()))


def check_token(token: str, address: str) -> str:
    """Return the fingerprint of an operator's token. `address`: the client's, by which wrong tokens are counted.

    Raises Unauthorized, and TooManyRequests for any token after ten wrong ones in 15 minutes.
    """
    subject = f"operator tokens of {address}"
    if rate_limits.so_far(subject) >= MOST_WRONG_TOKENS:
        raise TooManyRequests(retry_after=LOCK_SECONDS)
    if not token:
        raise Unauthorized("An operator's token is required.")
    fingerprint = _fingerprint(token, tokens.server_keys()[0])
    if _is_configured(fingerprint):
        return fingerprint
    # Counted by one command, so that attempts at the same time do not all pass before one is counted.
    if rate_limits.count(subject, LOCK_SECONDS) > MOST_WRONG_TOKENS:
        raise TooManyRequests(retry_after=LOCK_SECONDS)
    log.warning("operator.token_refused")
    raise Unauthorized("The operator's token is not valid.")


def new_session() -> OperatorSession:
    """Return the session of a browser that has shown no token yet."""
    return OperatorSession(secrets.token_hex(16), "", int(time.time()) + FORM_SECONDS)


def sign_in(token: str, address: str) -> OperatorSession:
    """Return a session of SESSION_SECONDS. Raises what `check_token` raises."""
    fingerprint = check_token(token, address)
    log.info("operator.signed_in")
    return OperatorSession(secrets.token_hex(16), fingerprint, int(time.time()) + SESSION_SECONDS)


def sign_out(session: OperatorSession) -> None:
    """End a session: its cookie is refused from now on, whoever has a copy."""
    redis_client.client.set(_ended_key(session.id), "1", ex=session.seconds_left + 60)


def cookie_of(session: OperatorSession) -> str:
    """Return the value of the session's cookie."""
    claims = {"sub": SUBJECT, "jti": session.id, "token": session.token, "exp": session.expires}
    return tokens.sign(claims)


def session_of(cookie: str) -> OperatorSession | None:
    """Return the session of a cookie; None where it is not ours, has expired or ended, or its token counts no more."""
    try:
        claims = tokens.decode(cookie, tokens.server_keys())
    except Unauthorized:
        return None
    # The same keys sign passports and logins.
    if claims.get("sub") != SUBJECT:
        return None
    session = OperatorSession(str(claims["jti"]), str(claims["token"]), int(claims["exp"]))
    if session.signed_in:
        ended = redis_client.client.exists(_ended_key(session.id))
        if ended or not _is_configured(session.token):
            return None
    return session


def form_token(session: OperatorSession) -> str:
    """Return what each form of the session's pages has to send."""
    return _form_token(session, tokens.server_keys()[0])


def is_form_token(session: OperatorSession, given: str) -> bool:
    """Whether a form that came was one of the session's pages."""
    expected = [_form_token(session, key) for key in tokens.server_keys()]
    return any(hmac.compare_digest(text.encode(), given.encode()) for text in expected)


def _is_configured(fingerprint: str) -> bool:
    """Whether a fingerprint, made with any key of ours, is that of a token of OPERATOR_TOKEN."""
    known = [_fingerprint(token, key) for token in current_app.config["OPERATOR_TOKEN"] for key in tokens.server_keys()]
    # All are compared, so that the time tells nothing.
    return any([hmac.compare_digest(fingerprint, expected) for expected in known])


def _fingerprint(token: str, key: str) -> str:
    return hmac.digest(key.encode(), f"operator token|{token}".encode(), hashlib.sha256).hex()


def _form_token(session: OperatorSession, key: str) -> str:
    return hmac.digest(key.encode(), f"operator form|{session.id}".encode(), hashlib.sha256).hex()


def _ended_key(session_id: str) -> str:
    return f"frontdesk:operator:ended:{session_id}"
