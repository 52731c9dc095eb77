"""Accounts, tokens and people who log in, for tests of apps that are not public."""

import base64
import secrets
from typing import Any

import jwt
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.services.auth import accounts
from app.services.auth.access import AccessMode
from app.services.definitions import published_apps
from app.services.definitions.published_apps import PublishedApp
from app.services.operator import members
from tests.support.factories import make_app

PASSWORD = "correct horse 1"
KEY = "a key for tests that is long enough"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def claims(token: str) -> dict[str, Any]:
    """Return the claims of a token that the server signed."""
    return dict(jwt.decode(token, KEY, ["HS256"]))


def forged(token: str, **changes: Any) -> str:
    """Return a token signed with the server's key but with other claims; None leaves one out."""
    merged = claims(token) | changes
    return jwt.encode({name: value for name, value in merged.items() if value is not None}, KEY, "HS256")


def new_email() -> str:
    return f"ann-{secrets.token_hex(6)}@example.com"


def make_account(email: str = "", password: str | None = PASSWORD) -> str:
    """Create an account and return its address."""
    return accounts.create(email or new_email(), password)


def app_of_mode(mode: str, *emails: str, app_mode: str = "chat", **model_config: Any) -> PublishedApp:
    """Publish a new app with an access mode and members."""
    code = make_app(app_mode, **model_config).code
    members.set_mode(code, AccessMode(mode))
    if emails:
        members.add(code, emails)
    app = published_apps.by_code(code)
    assert app is not None
    return app


class Person:
    """A person at an address of their own, who may log in to an account."""

    def __init__(self, client: FlaskClient, email: str = "") -> None:
        octets = secrets.token_bytes(3)
        client.environ_base["REMOTE_ADDR"] = "10." + ".".join(map(str, octets))
        self.client, self.email, self.token = client, email, ""

    def log_in(self, password: str = PASSWORD) -> "Person":
        self.token = str(self.try_password(password).get_json()["data"]["access_token"])
        return self

    def try_password(self, password: str) -> TestResponse:
        return self.post("/login", email=self.email, password=encoded(password))

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.client.post(f"/api{path}", json=body, headers=self.headers)

    def ask_passport(self, app: PublishedApp, **headers: str) -> TestResponse:
        return self.client.get("/api/passport", headers=self.headers | {"X-App-Code": app.code} | headers)

    def passport(self, app: PublishedApp) -> str:
        return str(self.ask_passport(app).get_json()["access_token"])

    def use_passport(self, app: PublishedApp, passport: str) -> TestResponse:
        """Make a call that needs a passport."""
        return self.get("/site", app, passport)

    def get(self, path: str, app: PublishedApp, passport: str = "", **query: Any) -> TestResponse:
        headers = self.headers | {"X-App-Code": app.code} | ({"X-App-Passport": passport} if passport else {})
        return self.client.get(f"/api{path}", headers=headers, query_string=query)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def outcome(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the error code of a response."""
    return answer.status_code, (answer.get_json() or {}).get("code", "")
