"""An end user of the app in the process of the test."""

import io
from typing import Any, Self

from flask.testing import FlaskClient
from pydantic import TypeAdapter
from werkzeug.test import TestResponse

from app.api.schemas.stream_events import ChatStreamEvent
from app.services.definitions.published_apps import PublishedApp
from tests.support.factories import make_app
from tests.support.sse import Frame, parse_frames

_EVENTS: TypeAdapter[Any] = TypeAdapter(ChatStreamEvent)


def check_described(frame: Frame) -> None:
    """Raise where the shape of an event is not described, or has a key that is not."""
    described = _EVENTS.validate_python(frame.data)
    assert described.model_dump(exclude_unset=True, by_alias=True) == frame.data


class WebVisitor:
    """One end user of one app, with a passport of its own."""

    def __init__(self, client: FlaskClient, app: PublishedApp, user_id: str = "", passport: str = "") -> None:
        self.client, self.app = client, app
        self.headers = {"X-App-Code": app.code}
        if passport:
            self.headers["X-App-Passport"] = passport
            return
        answer = client.get(
            "/api/passport", headers=self.headers, query_string={"user_id": user_id} if user_id else None
        )
        self.headers["X-App-Passport"] = answer.get_json()["access_token"]

    @classmethod
    def of_new_app(cls, client: FlaskClient, **model_config: Any) -> Self:
        return cls(client, make_app(**model_config))

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> TestResponse:
        return self.client.get(f"/api{path}", headers=self.headers | (headers or {}), query_string=query)

    def post(self, path: str, body: Any = None, **more: Any) -> TestResponse:
        return self.client.post(f"/api{path}", headers=self.headers, json=body, **more)

    def upload(
        self, content: bytes = b"hello\n", name: str = "hello.txt", mime_type: str = "text/plain", **form: Any
    ) -> TestResponse:
        """POST /files/upload with one file in the field `file`."""
        return self.send_form({"file": (io.BytesIO(content), name, mime_type)} | form)

    def send_form(self, form: Any) -> TestResponse:
        return self.client.post(
            "/api/files/upload", headers=self.headers, data=form, content_type="multipart/form-data"
        )

    def patch(self, path: str) -> TestResponse:
        return self.client.patch(f"/api{path}", headers=self.headers)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(f"/api{path}", headers=self.headers)

    @staticmethod
    def frames(answer: TestResponse) -> list[Frame]:
        """The frames of a streamed answer; each is as the OpenAPI 3.1 document describes it."""
        assert answer.status_code == 200, answer.get_data(as_text=True)
        frames = parse_frames(answer.get_data(as_text=True))
        for frame in frames:
            check_described(frame)
        return frames

    def chat(self, query: str = "Hi", **body: Any) -> TestResponse:
        """POST /chat-messages, streaming unless the body says otherwise."""
        return self.post("/chat-messages", {"inputs": {}, "query": query, "response_mode": "streaming"} | body)

    def ask(self, query: str = "Hi", **body: Any) -> list[Frame]:
        """The frames of a streamed answer to a question."""
        return self.frames(self.chat(query, **body))

    def run(self, **inputs: Any) -> list[Frame]:
        """The frames of a workflow run."""
        return self.frames(self.post("/workflows/run", {"inputs": inputs}))

    def resume(self, identifier: str, last_event_id: str | None = None, **query: Any) -> TestResponse:
        headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
        return self.get(f"/workflow/{identifier}/events", headers=headers, **query)

    def history(self, conversation_id: str, **query: Any) -> list[dict[str, Any]]:
        answer = self.get("/messages", conversation_id=conversation_id, **query)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return list(answer.get_json()["data"])
