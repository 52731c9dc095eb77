"""Set a forgotten password by a mailed code (contract endpoints.md, /forgot-password)."""

from app.errors import InvalidParam
from app.errors.logins import AuthenticationFailed, EmailCodeWrong, PasswordMismatch, PasswordResetLocked
from app.services.auth import accounts, logins, mail_codes, passwords, rate_limits
from app.services.auth.accounts import AccountRefused
from app.services.auth.mail_codes import Kind

MOST_WRONG_CODES = 5
LOCK_SECONDS = 86_400


def verify(email: str, code: str, token: str, client_address: str) -> str:
    """Check a code and return the token that sets a password.

    Raises PasswordResetLocked, MailTokenDead, EmailMismatch, EmailCodeWrong.
    """
    wrong = f"reset code {email} {client_address}"
    if rate_limits.so_far(wrong) > MOST_WRONG_CODES:
        raise PasswordResetLocked
    try:
        mail_codes.redeem(Kind.RESET, token, email, code)
    except EmailCodeWrong:
        rate_limits.count(wrong, LOCK_SECONDS)
        raise
    rate_limits.forget(wrong)
    return mail_codes.issue(Kind.VERIFIED, email)


def reset(token: str, password: str, confirmation: str, client_address: str) -> None:
    """Set a password by such a token. Raises InvalidParam, PasswordMismatch, MailTokenDead, AuthenticationFailed."""
    if not passwords.is_strong(password):
        raise InvalidParam(passwords.WEAK)
    if password != confirmation:
        raise PasswordMismatch
    email = mail_codes.take(Kind.VERIFIED, token)
    try:
        accounts.set_password(email, password)
    except AccountRefused:
        raise AuthenticationFailed from None
    logins.forget_wrong_passwords(email, client_address)
