"""The data of a former release, after `flask db upgrade`: it is there, and goes on."""

import contextlib
import pathlib
from collections.abc import Iterator

import flask_migrate
import psycopg2
import pytest
from flask import Flask

from app import api, cli, tasks
from app.factory import create_app
from app.services.events import lost_tasks
from app.services.process.process_parts import parts_of
from config import Config
from tests.support.scripted_model import ScriptedModel
from tests.support.sse import parse_frames

FORMER = pathlib.Path(__file__).parent / "support" / "former_release.sql"
FORMER_HEAD = "0011"
RUN = "01a21420-c7a9-775d-9414-8bb29ccff5f4"
FORM = "KjF9p5fp7u5O2oFU4rx5U0"
# The dump is younger than a form's days and an answer's seconds.
STILL_OPEN = """
UPDATE human_input_forms SET created_at = now(), expires_at = now() + interval '1 day';
UPDATE tasks SET created_at = now() - interval '1 minute' WHERE status = 'running';
"""


@contextlib.contextmanager
def session(address: str) -> Iterator["psycopg2.extensions.cursor"]:
    with contextlib.closing(psycopg2.connect(address)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            yield cursor


@pytest.fixture
def upgraded(
    settings: dict[str, str], model: ScriptedModel, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Flask]:
    """The app on a database that the former release made and filled, and this one has upgraded."""
    address = settings["DATABASE_URL"].replace("/postgres?", "/former?")
    with session(settings["DATABASE_URL"]) as cursor:
        cursor.execute("CREATE DATABASE former")
        app = create_app(
            Config(settings | {"DATABASE_URL": address, "DATA_DIR": str(tmp_path)}), api.init_app, cli.register
        )
        # Celery's tasks belong to the app of the other tests: here each is run where it is enqueued, by this one.
        monkeypatch.setattr(tasks.generate, "apply_async", lambda arguments, **_: tasks.generate.run(*arguments))
        with app.app_context():
            flask_migrate.upgrade(revision=FORMER_HEAD)
            with session(address) as former:
                former.execute(FORMER.read_text())
                former.execute(STILL_OPEN)
            flask_migrate.upgrade()
            yield app
        parts_of(app).close()
        cursor.execute("DROP DATABASE former WITH (FORCE)")


def test_what_a_former_release_left_is_there_and_goes_on(upgraded):
    client = upgraded.test_client()

    def ann(code: str) -> dict[str, str]:
        token = client.get("/api/passport?user_id=ann", headers={"X-App-Code": code}).get_json()["access_token"]
        return {"X-App-Code": code, "X-App-Passport": token}

    (conversation,) = client.get("/api/conversations", headers=ann("chat")).get_json()["data"]
    of_it = {"conversation_id": conversation["id"]}

    def answers() -> list[tuple[str, str]]:
        page = client.get("/api/messages", query_string=of_it, headers=ann("chat")).get_json()
        return [(message["answer"], message["status"]) for message in page["data"]]

    said = "tok0 tok1 tok2 tok3 tok4"
    assert answers()[0] == (said, "normal")
    for task_id in lost_tasks.find_lost():
        tasks.generate.run(task_id)
    assert answers() == [(said, "normal")] * 2, "the answer that was under way is complete"

    question = {"inputs": {}, "query": "And now? [[chunks:2]]", "response_mode": "streaming", **of_it}
    frames = parse_frames(client.post("/api/chat-messages", json=question, headers=ann("chat")).text)
    assert frames[-1].event == "message_end" and answers()[-1] == ("tok0 tok1", "normal")

    decision = {"inputs": {"comment": "fine"}, "action": "approve"}
    assert client.post(f"/api/form/human_input/{FORM}", json=decision).status_code == 200
    (end,) = parse_frames(client.get(f"/api/workflow/{RUN}/events", headers=ann("approval")).text)
    outputs = end.data["data"]["outputs"]
    assert (end.event, outputs["decision"], outputs["comment"]) == ("workflow_finished", "Approve", "fine")

    command = upgraded.test_cli_runner().invoke(args=["datasets", "search", "rules", "vacation"])
    assert "Thirty days a year." in command.output
