"""Log accounts in, by password or by a mailed code (contract endpoints.md, /login; README §3.6)."""

from app.errors import InvalidParam
from app.errors.logins import AccountBanned, AuthenticationFailed, PasswordLocked
from app.models.accounts import AccountRow, find_account
from app.services.auth import access_tokens, mail_codes, passwords, rate_limits
from app.services.auth.mail_codes import Kind

MOST_WRONG_PASSWORDS = 10
LOCK_SECONDS = 900


def by_password(email: str, password: str | None, client_address: str) -> str:
    """Check a password and return an access token. `password`: None where what the client sent cannot be decoded.

    Raises InvalidParam, PasswordLocked, AuthenticationFailed (the same for a wrong password and an unknown
    address, after the same work), AccountBanned.
    """
    if password is not None and not passwords.is_strong(password):
        raise InvalidParam(passwords.WEAK)
    tries = _tries(email, client_address)
    if rate_limits.count(tries, LOCK_SECONDS) > MOST_WRONG_PASSWORDS:
        raise PasswordLocked
    account = find_account(email)
    if not passwords.verify(password, account.password_hash if account else None):
        raise AuthenticationFailed
    rate_limits.forget(tries)
    return _token(account)


def by_code(email: str, code: str, token: str, client_address: str) -> str:
    """Redeem a mailed code and return an access token.

    Raises MailTokenDead, EmailMismatch, EmailCodeWrong, AuthenticationFailed, AccountBanned.
    """
    mail_codes.redeem(Kind.LOGIN, token, email, code)
    access_token = _token(find_account(email))
    forget_wrong_passwords(email, client_address)
    return access_token


def forget_wrong_passwords(email: str, client_address: str) -> None:
    """Reset the count of wrong passwords, for a client that has proved to read the address's mail."""
    rate_limits.forget(_tries(email, client_address))


def _token(account: AccountRow | None) -> str:
    if account is None:
        raise AuthenticationFailed
    if account.banned:
        raise AccountBanned
    return access_tokens.issue(account.id, account.email)


def _tries(email: str, client_address: str) -> str:
    return f"password {email} {client_address}"
