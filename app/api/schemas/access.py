"""Passports, login state, access modes."""

from pydantic import Field, field_validator

from app.api.schemas.common import Body


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
