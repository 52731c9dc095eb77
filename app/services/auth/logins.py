"""Logging in (contract endpoints.md, /login; README §3.6)."""

from typing import Any

from sqlalchemy import text

from app.errors import InvalidParam
from app.errors.logins import AccountBanned, AuthenticationFailed, PasswordLocked
from app.extensions import autocommit_engine
from app.services.auth import access_tokens, mail_codes, passwords, rate_limits
from app.services.auth.mail_codes import Kind

MOST_WRONG_PASSWORDS = 10
LOCK_SECONDS = 900

_FIND = text("SELECT id, email, password_hash, banned FROM accounts WHERE email = :email")


def by_password(email: str, password: str | None, client_address: str) -> str:
    """An access token. `password` is None where what was sent cannot be read.

    Raises InvalidParam, PasswordLocked, AuthenticationFailed (the same for a wrong password and an unknown
    address, after the same work), AccountBanned.
    """
    if password is not None and not passwords.is_strong(password):
        raise InvalidParam(passwords.WEAK)
    tries = _tries(email, client_address)
    if rate_limits.count(tries, LOCK_SECONDS) > MOST_WRONG_PASSWORDS:
        raise PasswordLocked
    account = _find(email)
    if not passwords.verify(password, account.password_hash if account else None):
        raise AuthenticationFailed
    rate_limits.forget(tries)
    return _token(account)


def by_code(email: str, code: str, token: str, client_address: str) -> str:
    """An access token. Raises MailTokenDead, EmailMismatch, EmailCodeWrong, AuthenticationFailed, AccountBanned."""
    mail_codes.redeem(Kind.LOGIN, token, email, code)
    access_token = _token(_find(email))
    forget_wrong_passwords(email, client_address)
    return access_token


def forget_wrong_passwords(email: str, client_address: str) -> None:
    """Whoever proves to read the address's mail may try anew."""
    rate_limits.forget(_tries(email, client_address))


def _find(email: str) -> Any:
    with autocommit_engine().connect() as connection:
        return connection.execute(_FIND, {"email": email}).one_or_none()


def _token(account: Any) -> str:
    if account is None:
        raise AuthenticationFailed
    if account.banned:
        raise AccountBanned
    return access_tokens.issue(account.id, account.email)


def _tries(email: str, client_address: str) -> str:
    return f"password {email} {client_address}"
