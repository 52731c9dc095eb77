"""A person is forgotten with everything."""

import threading

import pytest

from app import tasks
from app.errors import ServiceUnavailable
from app.extensions import redis_client
from app.services.keeping import forgetting
from app.streams import signals
from app.streams.channel import log_key
from tests.support.factories import make_graph_app
from tests.support.logins import app_of_mode
from tests.support.people import asking, execute, form_of
from tests.support.uploads import is_stored
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, graph, start

TABLES = ("conversations", "messages", "tasks", "workflow_runs", "upload_files", "end_users")


def end_user_of(visitor):
    """The only end user of the visitor's app."""
    return str(execute("SELECT id FROM end_users WHERE app_id = :id", id=visitor.app.id)[0][0])


def rows(visitor):
    return {
        table: execute(f"SELECT count(*) FROM {table} WHERE app_id = :id", id=visitor.app.id)[0][0] for table in TABLES
    }


def forget(reference):
    identity = forgetting.find_identity(reference)
    return forgetting.forget(identity)


@pytest.fixture
def chatty(client):
    """A visitor with a chatflow's message, a rating and a file."""
    flow = graph(start(), answer("{{#sys.query#}}!"), "start > answer")
    visitor = WebVisitor(client, make_graph_app(flow, "advanced-chat"))
    message = visitor.ask("My name is Ann")[0].data["message_id"]
    visitor.post(f"/messages/{message}/feedbacks", {"rating": "like"})
    visitor.upload(b"my words\n")
    return visitor


def test_what_would_be_removed_is_counted(chatty):
    counts = forgetting.count(forgetting.find_identity(end_user_of(chatty)))
    assert (counts.end_users, counts.conversations, counts.messages, counts.ratings) == (1, 1, 1, 1)
    assert (counts.workflow_runs, counts.node_executions, counts.files, counts.bytes) == (1, 2, 1, 9)
    assert (counts.names_in_usage, counts.accounts, counts.answers_under_way) == (1, 0, 0)


def test_everything_goes_rows_files_and_logs(chatty):
    task = execute("SELECT id::text FROM tasks WHERE app_id = :id", id=chatty.app.id)[0][0]
    file_id = execute("SELECT id::text FROM upload_files WHERE app_id = :id", id=chatty.app.id)[0][0]
    assert redis_client.client.exists(log_key(task)) and is_stored(chatty, file_id)
    assert forget(end_user_of(chatty)) == []
    assert rows(chatty) == dict.fromkeys(TABLES, 0)
    assert not redis_client.client.exists(log_key(task)) and not is_stored(chatty, file_id)
    usage = execute("SELECT end_user_id, total_tokens FROM usage_records WHERE app_id = :id", id=chatty.app.id)
    assert [row.end_user_id for row in usage] == [None]


def test_a_passport_is_invalid_at_once(chatty):
    assert chatty.get("/conversations").status_code == 200
    forget(end_user_of(chatty))
    assert chatty.get("/conversations").status_code == 404


def test_others_keep_what_is_theirs(chatty, client):
    mine = end_user_of(chatty)
    other = WebVisitor(client, chatty.app)
    other.ask("Hi")
    forget(mine)
    assert len(other.get("/conversations").get_json()["data"]) == 1


def test_a_session_is_forgotten_in_all_apps_and_begins_anew(client, alice, charlie):
    visitors = [WebVisitor(client, app, user_id="zoe-17") for app in (alice.app, charlie.app)]
    for visitor in visitors:
        visitor.ask()
    assert len(forgetting.find_identity("zoe-17").end_user_ids) == 2
    forget("zoe-17")
    again = WebVisitor(client, alice.app, user_id="zoe-17")
    assert again.get("/conversations").get_json()["data"] == []
    assert visitors[0].get("/conversations").status_code == 404


@pytest.mark.parametrize("by", ["email", "id"])
def test_an_account_goes_with_its_end_users_and_logins(ann, client, by):
    house = app_of_mode("private_all")
    ann.log_in()
    visitor = WebVisitor(client, house, passport=ann.passport(house))
    visitor.ask()
    account_id = execute("SELECT id::text FROM accounts WHERE email = :email", email=ann.email)[0][0]
    forget(ann.email.upper() if by == "email" else account_id)
    assert rows(visitor) == dict.fromkeys(TABLES, 0)
    assert execute("SELECT count(*) FROM accounts WHERE email = :email", email=ann.email)[0][0] == 0
    assert visitor.get("/conversations").status_code == 404
    assert ann.ask_passport(house).status_code in (401, 403)


def test_a_paused_run_goes_with_its_forms(client):
    visitor = WebVisitor(client, asking())
    token = form_of(visitor.run(topic="tea"))["form_token"]
    identity = forgetting.find_identity(end_user_of(visitor))
    assert forgetting.count(identity).answers_under_way == 1
    forgetting.forget(identity)
    assert rows(visitor) == dict.fromkeys(TABLES, 0)
    assert client.get(f"/api/form/human_input/{token}").status_code == 404


def test_mails_of_forms_to_an_address_go_too(client):
    visitor = WebVisitor(client, asking())
    visitor.run(topic="tea")
    execute(
        "UPDATE human_input_recipients SET email = 'guest-3@example.com' WHERE form_id IN (SELECT form.id"
        " FROM human_input_forms form JOIN workflow_runs run ON run.id = run_id WHERE run.app_id = :id)",
        id=visitor.app.id,
    )
    identity = forgetting.find_identity("guest-3@example.com")
    assert forgetting.count(identity).form_mails == 2
    forgetting.forget(identity)
    assert forgetting.find_identity("guest-3@example.com").is_nobody
    assert rows(visitor)["workflow_runs"] == 1


def test_a_running_answer_is_stopped_first(chatty, monkeypatch):
    task = execute("UPDATE tasks SET status = 'running' WHERE app_id = :id RETURNING id::text", id=chatty.app.id)[0][0]
    asked = threading.Event()

    def stop(client, task_id):
        if task_id == task:
            execute("UPDATE tasks SET status = 'stopped' WHERE id = :id", id=task)
            asked.set()

    monkeypatch.setattr(signals, "request_stop", stop)
    forget(end_user_of(chatty))
    assert asked.is_set() and rows(chatty) == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize("again", [True, False], ids=["by the same command", "by housekeeping"])
def test_what_was_cut_off_is_gone_on_with(chatty, monkeypatch, again):
    end_user = end_user_of(chatty)
    session = execute("SELECT session_id FROM end_users WHERE id = :id", id=end_user)[0][0]

    def away(self, key):
        raise ServiceUnavailable

    with monkeypatch.context() as broken:
        broken.setattr("app.providers.file_storage.FileStorage.delete", away)
        with pytest.raises(ServiceUnavailable):
            forget(session)
    assert chatty.get("/conversations").status_code == 404
    assert (rows(chatty)["messages"], rows(chatty)["upload_files"]) == (0, 1)
    assert [str(found) for found in forgetting.find_identity(session).end_user_ids] == [end_user]
    if again:
        forget(session)
    else:
        tasks.remove_old()
    assert rows(chatty) == dict.fromkeys(TABLES, 0)
    assert forgetting.find_identity(session).is_nobody


def test_nobody_is_nobody(app):
    assert forgetting.find_identity("nobody at all").is_nobody
    assert forgetting.find_identity("nobody@example.com").is_nobody
