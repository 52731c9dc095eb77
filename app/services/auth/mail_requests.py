"""Limit how often codes are mailed (contract README §7, endpoints.md)."""

from flask import current_app

from app.errors.logins import EmailCodeLoginLimited, MailAddressLimited, PasswordResetLimited
from app.services.auth import mail_codes, rate_limits
from app.services.auth.mail_codes import Kind

MINUTE, DAY = 60, 86_400
LOGIN_MAILS, LOGIN_MAILS_SECONDS = 5, 300
# From one client for one address. Each token allows five guesses, so this limits the guesses in a day.
LOGIN_MAILS_A_DAY = 30


def login_code(email: str, client_address: str) -> str:
    """Return the token of a login code, for the caller to mail. Raises MailAddressLimited, EmailCodeLoginLimited."""
    _check_client(client_address)
    if rate_limits.count(f"login mail {email}", LOGIN_MAILS_SECONDS) > LOGIN_MAILS:
        raise EmailCodeLoginLimited
    if rate_limits.count(f"login mail {email} {client_address}", DAY) > LOGIN_MAILS_A_DAY:
        raise EmailCodeLoginLimited
    return mail_codes.issue(Kind.LOGIN, email)


def password_reset(email: str, client_address: str) -> str:
    """Return the token of a code for a new password, for the caller to mail.

    Raises MailAddressLimited, PasswordResetLimited.
    """
    _check_client(client_address)
    if rate_limits.count(f"reset mail {email}", current_app.config["RESET_MAIL_SECONDS"]) > 1:
        raise PasswordResetLimited
    return mail_codes.issue(Kind.RESET, email)


def _check_client(client_address: str) -> None:
    if rate_limits.count(f"mail from {client_address}", MINUTE) > current_app.config["MAIL_IP_LIMIT"]:
        raise MailAddressLimited
