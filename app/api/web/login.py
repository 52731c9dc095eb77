"""Log in to apps that are not public: /login, /logout, /email-code-login, /forgot-password."""

from flask import Response, current_app
from flask_restx import Resource

from app.api.auth import (
    ACCESS_TOKEN_COOKIE,
    HOST_PREFIX,
    access_token_of_request,
    is_end_user_of,
    requires_web_app_auth,
)
from app.api.bodies import parse_body, parse_query, reply
from app.api.client_address import client_address
from app.api.cors import cookies_are_trusted
from app.api.document import document, web_ns
from app.api.schemas.access import (
    AccessTokenData,
    AccessTokenResultResponse,
    EmailCodeLoginSendPayload,
    EmailCodeLoginVerifyPayload,
    ForgotPasswordCheckPayload,
    ForgotPasswordResetPayload,
    ForgotPasswordSendPayload,
    LoginPayload,
    LoginStatusQuery,
    LoginStatusResponse,
    SimpleResultDataResponse,
    VerificationTokenResponse,
)
from app.api.schemas.common import SimpleResultResponse
from app.errors.logins import EmailCodeWrong
from app.services.auth import access, access_tokens, logins, mail_requests, password_resets
from app.services.auth.mail_codes import Kind
from app.tasks import enqueue_mail


@web_ns.route("/login")
class LoginResource(Resource):
    @document(
        "Log in",
        description="An access token for apps that are not public. The password travels base64-encoded.",
        body=LoginPayload,
        ok=AccessTokenResultResponse,
        ok_text="Authentication successful",
        refusals={
            400: "Bad request - invalid email or password format",
            401: "Authentication failed - email or password mismatch",
            403: "Account banned or login disabled",
            404: "Account not found",
            429: "Too many wrong passwords",
        },
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(LoginPayload)
        token = logins.by_password(payload.email, payload.plain_password, client_address())
        return reply(AccessTokenResultResponse(data=AccessTokenData(access_token=token)))


@web_ns.route("/login/status")
class LoginStatusResource(Resource):
    @document(
        "Check the login status",
        description="Whether the caller is logged in, and whether the passport of this request is good for the app.",
        query=LoginStatusQuery,
        ok=LoginStatusResponse,
        ok_text="Login status",
        refusals={401: "Login status"},
    )
    def get(self) -> Response:
        query = parse_query(LoginStatusQuery)
        token = access_token_of_request()
        if not query.app_code:
            return reply(LoginStatusResponse(logged_in=bool(token), app_logged_in=False))
        app = access.app_of_code(query.app_code)
        logged_in = not access.is_checked(app) or access_tokens.is_login_for(app, token)
        return reply(LoginStatusResponse(logged_in=logged_in, app_logged_in=is_end_user_of(app, query.user_id)))


@web_ns.route("/logout")
class LogoutResource(Resource):
    @document(
        "Log out",
        description="Clears the access token's cookie. The token stays good until it expires.",
        ok=SimpleResultResponse,
        ok_text="Logout successful",
        refusals={},
        passport=False,
    )
    def post(self) -> Response:
        answer = reply(SimpleResultResponse())
        if cookies_are_trusted():
            secure = current_app.config["PUBLIC_URL"].startswith("https://")
            looks = {"httponly": True, "secure": secure, "samesite": "None" if secure else "Lax"}
            for name in (ACCESS_TOKEN_COOKIE, HOST_PREFIX + ACCESS_TOKEN_COOKIE) if secure else (ACCESS_TOKEN_COOKIE,):
                answer.delete_cookie(name, **looks)
        return answer


@web_ns.route("/email-code-login")
class EmailCodeLoginResource(Resource):
    @document(
        "Have a login code mailed",
        description="Six digits go to the address if it has an account; the answer is the same if not.",
        body=EmailCodeLoginSendPayload,
        ok=SimpleResultDataResponse,
        ok_text="Email code sent successfully",
        refusals={400: "Bad request - invalid email format", 404: "Account not found", 429: "Too many mails"},
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(EmailCodeLoginSendPayload)
        token = mail_requests.login_code(payload.email, client_address())
        enqueue_mail(Kind.LOGIN, token, payload.language)
        return reply(SimpleResultDataResponse(data=token))


@web_ns.route("/email-code-login/validity")
class EmailCodeLoginValidityResource(Resource):
    @document(
        "Log in by a mailed code",
        description="The code travels base64-encoded.",
        body=EmailCodeLoginVerifyPayload,
        ok=AccessTokenResultResponse,
        ok_text="Email code verified and login successful",
        refusals={
            400: "Bad request - invalid code or token",
            401: "Invalid token or expired code",
            403: "Account banned",
            404: "Account not found",
        },
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(EmailCodeLoginVerifyPayload)
        if payload.plain_code is None:
            raise EmailCodeWrong
        token = logins.by_code(payload.email, payload.plain_code, payload.token, client_address())
        return reply(AccessTokenResultResponse(data=AccessTokenData(access_token=token)))


@web_ns.route("/forgot-password")
class ForgotPasswordResource(Resource):
    @document(
        "Have a code for a new password mailed",
        description="Six digits go to the address if it has an account; the answer is the same if not.",
        body=ForgotPasswordSendPayload,
        ok=SimpleResultDataResponse,
        ok_text="Password reset email sent successfully",
        refusals={
            400: "Bad request - invalid email format",
            404: "Account not found",
            429: "Too many requests - rate limit exceeded",
        },
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(ForgotPasswordSendPayload)
        token = mail_requests.password_reset(payload.email, client_address())
        enqueue_mail(Kind.RESET, token, payload.language)
        return reply(SimpleResultDataResponse(data=token))


@web_ns.route("/forgot-password/validity")
class ForgotPasswordValidityResource(Resource):
    @document(
        "Check the code for a new password",
        description="Gives the token that sets the password. The code travels as it is.",
        body=ForgotPasswordCheckPayload,
        ok=VerificationTokenResponse,
        ok_text="Token is valid",
        refusals={
            400: "Bad request - invalid token format",
            401: "Invalid or expired token",
            404: "Account not found",
            429: "Too many wrong codes",
        },
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(ForgotPasswordCheckPayload)
        token = password_resets.verify(payload.email, payload.code, payload.token, client_address())
        return reply(VerificationTokenResponse(is_valid=True, email=payload.email, token=token))


@web_ns.route("/forgot-password/resets")
class ForgotPasswordResetsResource(Resource):
    @document(
        "Set a new password",
        description="With the token that the check of the code gave. The passwords travel as they are.",
        body=ForgotPasswordResetPayload,
        ok=SimpleResultResponse,
        ok_text="Password reset successfully",
        refusals={
            400: "Bad request - invalid parameters or password mismatch",
            401: "Invalid or expired token",
            404: "Account not found",
        },
        passport=False,
    )
    @requires_web_app_auth
    def post(self) -> Response:
        payload = parse_body(ForgotPasswordResetPayload)
        password_resets.reset(payload.token, payload.new_password, payload.password_confirm, client_address())
        return reply(SimpleResultResponse())
