"""Errors of logging in (contract endpoints.md, /login, /email-code-login, /forgot-password).

AppError
├── AuthenticationFailed            401 authentication_failed
├── AccountBanned                   403 account_banned
├── PasswordLocked                  429 email_password_login_limit
├── EmailCodeWrong                  400 email_code_error
├── EmailMismatch                   400 invalid_email
├── MailTokenDead                   400 invalid_or_expired_token
├── PasswordMismatch                400 password_mismatch
├── MailAddressLimited              429 email_send_ip_limit
├── EmailCodeLoginLimited           429 email_code_login_rate_limit_exceeded
├── PasswordResetLimited            429 password_reset_rate_limit_exceeded
└── PasswordResetLocked             429 email_password_reset_limit
"""

from app.errors import AppError


class AuthenticationFailed(AppError):
    code, status, message = "authentication_failed", 401, "Invalid email or password."


class AccountBanned(AppError):
    """403 by the user's specification (contract README §3.5)."""

    code, status, message = "account_banned", 403, "Account is banned."


class PasswordLocked(AppError):
    code, status = "email_password_login_limit", 429
    message = "Too many incorrect password attempts. Please try again later."


class EmailCodeWrong(AppError):
    code, status, message = "email_code_error", 400, "Email code is invalid or expired."


class EmailMismatch(AppError):
    code, status, message = "invalid_email", 400, "The email address does not match the token."


class MailTokenDead(AppError):
    code, status, message = "invalid_or_expired_token", 400, "The token is invalid or has expired."


class PasswordMismatch(AppError):
    code, status, message = "password_mismatch", 400, "The passwords do not match."


class MailAddressLimited(AppError):
    code, status = "email_send_ip_limit", 429
    message = "Too many emails have been requested from this IP address. Please try again later."


class EmailCodeLoginLimited(AppError):
    code, status = "email_code_login_rate_limit_exceeded", 429
    message = "Too many login emails have been sent. Please try again in a few minutes."


class PasswordResetLimited(AppError):
    code, status = "password_reset_rate_limit_exceeded", 429
    message = "Too many password reset emails have been sent. Please try again in a minute."


class PasswordResetLocked(AppError):
    code, status = "email_password_reset_limit", 429
    message = "Too many wrong codes. Please try again in 24 hours."
