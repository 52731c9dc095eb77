"""An operator, by token and by browser, in the process of the test."""

import re
import secrets
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

OPERATOR_TOKEN = "an-operators-token-for-tests"
ORIGIN = "http://localhost"
_FORM_TOKEN = re.compile(r'name="form_token" value="(\w+)"')
_TAGS = re.compile(r"<[^>]*>")


class OperatorBrowser:
    """A browser at the operators' pages. It sends its origin with forms, as browsers do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def sign_in(self, token: str = OPERATOR_TOKEN, then: str = "") -> TestResponse:
        """Open the form and send a token."""
        form = self.get("/sign-in", then=then)
        return self.post("/sign-in", token=token, then=then, form_token=form_token_of(form))

    def get(self, path: str = "", **query: Any) -> TestResponse:
        return self.client.get(f"/operator{path}", query_string=query or None)

    def post(self, path: str, origin: str | None = ORIGIN, **form: str) -> TestResponse:
        headers = {} if origin is None else {"Origin": origin}
        return self.client.post(f"/operator{path}", data=form, headers=headers)

    def page(self, path: str = "", **query: Any) -> str:
        """The text of a page that is there."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, (answer.status_code, answer.get_data(as_text=True))
        return answer.get_data(as_text=True)


def form_token_of(answer: TestResponse) -> str:
    """What the forms of a page have to send."""
    found = _FORM_TOKEN.search(answer.get_data(as_text=True))
    return found[1] if found else ""


def read(html: str) -> str:
    """The text of a page as people read it, with single blanks."""
    return " ".join(unescape(_TAGS.sub(" ", html)).split())


class OperatorCaller:
    """A caller of the operators' API, at an address that no other test uses."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        client.environ_base["REMOTE_ADDR"] = new_address()

    def get(self, path: str = "", **query: Any) -> TestResponse:
        return self.client.get(f"/operator/api{path}", query_string=query or None, headers=self.headers)

    def send(self, method: str, path: str, body: Any = None) -> TestResponse:
        return self.client.open(f"/operator/api{path}", method=method, json=body, headers=self.headers)

    def read(self, path: str = "", **query: Any) -> Any:
        """The JSON of a route that answers."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()


def new_address() -> str:
    return ".".join(["10", *(str(secrets.randbelow(256)) for _ in range(3))])
