"""Bodies of passports, logins and access modes (contract README §5)."""

import base64
import binascii
from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from app.api.schemas.common import Body, SimpleResultResponse
from app.services.auth.accounts import is_email


def _address(value: str) -> str:
    if not is_email(value.strip()):
        raise ValueError("not a valid e-mail address")
    return value.strip().lower()


Email = Annotated[str, AfterValidator(_address)]


class PassportQuery(Body):
    user_id: str | None = Field(None, max_length=255, description="End user session ID")

    @field_validator("user_id")
    @classmethod
    def _storable(cls, value: str | None) -> str | None:
        if value is not None and "\0" in value:
            raise ValueError("NUL characters cannot be stored")
        return value


class AccessTokenData(Body):
    access_token: str


class AccessTokenResultResponse(SimpleResultResponse):
    data: AccessTokenData


class LoginPayload(Body):
    email: Email
    password: str

    @property
    def plain_password(self) -> str | None:
        """The password; None if it was not sent as the base64 of a text."""
        return _plain(self.password)


class EmailCodeLoginSendPayload(Body):
    email: Email
    language: str | None = None


class EmailCodeLoginVerifyPayload(Body):
    email: Email
    code: str
    token: str

    @property
    def plain_code(self) -> str | None:
        """The six digits; None if they were not sent as the base64 of a text."""
        return _plain(self.code)


class ForgotPasswordSendPayload(Body):
    email: Email
    language: str | None = None


class ForgotPasswordCheckPayload(Body):
    email: Email
    code: str
    token: str


class ForgotPasswordResetPayload(Body):
    token: str
    new_password: str
    password_confirm: str


class SimpleResultDataResponse(SimpleResultResponse):
    data: str


class VerificationTokenResponse(Body):
    is_valid: bool
    email: str
    token: str


class LoginStatusQuery(Body):
    app_code: str | None = Field(None, description="Web app code")
    user_id: str | None = Field(None, description="End user session ID")


class LoginStatusResponse(Body):
    logged_in: bool
    app_logged_in: bool


class AppAccessModeQuery(Body):
    appId: str | None = Field(None, description="Application ID")
    appCode: str | None = Field(None, description="Application code")


class AccessModeResponse(Body):
    accessMode: str


class AppPermissionQuery(Body):
    appId: str = Field(description="Application ID")


def _plain(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
