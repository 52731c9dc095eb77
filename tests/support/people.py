"""People who open and submit forms by a form's token, without a passport."""

import secrets
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.extensions import autocommit_engine
from app.services.definitions.published_apps import PublishedApp
from tests.support.factories import make_graph_app
from tests.support.sse import Frame, parse_frames
from tests.support.web_client import WebVisitor
from tests.support.workflow.forms import human
from tests.support.workflow.graphs import end, graph, start


class Answerer:
    """A person with the token of a form."""

    def __init__(self, client: FlaskClient, token: str, address: str = "") -> None:
        """`address`: where the requests come from; by default an address that no other test uses."""
        self.client, self.token = client, token
        self.address = address or ".".join(["10", *(str(secrets.randbelow(256)) for _ in range(3))])

    def read(self) -> TestResponse:
        return self.client.get(f"/api/form/human_input/{self.token}", **self._from)

    def submit(self, action: str = "go", **inputs: Any) -> TestResponse:
        return self.send({"inputs": inputs, "action": action})

    def send(self, body: Any) -> TestResponse:
        return self.client.post(f"/api/form/human_input/{self.token}", json=body, **self._from)

    def upload_token(self) -> TestResponse:
        return self.client.post(f"/api/form/human_input/{self.token}/upload-token", **self._from)

    def upload(self, form: dict[str, Any], token: str | None = None, scheme: str = "Bearer") -> TestResponse:
        token = self.upload_token().get_json()["upload_token"] if token is None else token
        headers = {"Authorization": f"{scheme} {token}"} if scheme else {}
        return self.client.post(
            "/api/human-input-forms/files", headers=headers, data=form, content_type="multipart/form-data"
        )

    @property
    def _from(self) -> dict[str, Any]:
        return {"environ_base": {"REMOTE_ADDR": self.address}}


def asking(*actions: str, **data: Any) -> PublishedApp:
    """Publish a workflow start > ask > end, with a path for each action and one for the timeout."""
    actions = actions or ("go",)
    last = end(comment=["ask", "comment"], action=["ask", "__action_id"])
    paths = [f"start > ask:{action} > end" for action in (*actions, "__timeout")]
    return make_graph_app(graph(start(topic="text-input"), human("ask", *actions, **data), last, *paths))


def answerer_of(visitor: WebVisitor, frames: list[Frame]) -> Answerer:
    """Return a person with the token of the form in these frames."""
    return Answerer(visitor.client, form_of(frames)["form_token"])


def run_id(frames: list[Frame]) -> str:
    return str(frames[0].data["workflow_run_id"])


def events(frames: list[Frame]) -> list[str]:
    return [frame.event for frame in frames]


def rest(visitor: WebVisitor, frames: list[Frame]) -> list[Frame]:
    """Return the frames after the last one that a client has."""
    return parse_frames(visitor.resume(run_id(frames), str(frames[-1].number)).get_data(as_text=True))


def refusal(answer: TestResponse) -> tuple[int, str]:
    body = answer.get_json()
    assert body["status"] == answer.status_code
    return answer.status_code, body["code"]


def form_of(frames: list[Frame]) -> dict[str, Any]:
    """The data of the only `human_input_required` of a stream."""
    (form,) = forms_of(frames)
    return form


def forms_of(frames: list[Frame]) -> list[dict[str, Any]]:
    return [frame.data["data"] for frame in frames if frame.event == "human_input_required"]


def age_form(form_id: str, seconds: int) -> None:
    """Make a form older by so many seconds."""
    execute(
        "UPDATE human_input_forms SET created_at = created_at - make_interval(secs => :s),"
        " expires_at = expires_at - make_interval(secs => :s) WHERE id = :form_id",
        form_id=form_id,
        s=seconds,
    )


def execute(statement: str, **values: Any) -> list[Any]:
    with autocommit_engine().connect() as connection:
        result = connection.execute(text(statement), values)
        return list(result) if result.returns_rows else []
