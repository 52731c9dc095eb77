"""/operator/api: what operators read and switch by HTTP."""

import csv
import json
import re

import pytest
from flask import Flask

from app.api import operator as operator_api
from app.api import swagger_document
from app.services.definitions import published_apps
from app.services.reports import exports
from tests.support.factories import make_graph_app
from tests.support.operators import OPERATOR_TOKEN, OperatorCaller
from tests.support.paths import PROJECT
from tests.support.people import asking
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start

NOBODY = "0198f0a0-0000-7000-8000-000000000001"
LISTS = ("/conversations", "/feedback", "/runs", "/apps", "/usage", "/activity", "")


def refusal(answer) -> tuple[int, str]:
    body = answer.get_json()
    assert body["status"] == answer.status_code and body["message"]
    return answer.status_code, body["code"]


@pytest.fixture
def rated(alice: WebVisitor) -> dict[str, str]:
    """A conversation of Alice whose message she liked."""
    started = alice.ask("How long is the Nile?")[0].data
    alice.post(f"/messages/{started['message_id']}/feedbacks", {"rating": "like", "content": "Good"})
    return started


@pytest.fixture
def run_id(client) -> str:
    app = make_graph_app(graph(start(topic="text-input"), end(topic=["start", "topic"]), "start > end"))
    return str(WebVisitor(client, app).run(topic="rivers")[0].data["workflow_run_id"])


class TestAToken:
    @pytest.mark.parametrize("path", [*LISTS, f"/runs/{NOBODY}", "/nowhere"])
    def test_is_asked_for_everywhere(self, app, path):
        answer = OperatorCaller(app.test_client(), "").get(path)
        assert refusal(answer) == (401, "unauthorized") and answer.headers["WWW-Authenticate"]

    def test_is_one_of_those_that_are_set(self, app, operator, guesser, monkeypatch):
        assert operator.read() == {"version": app.config["VERSION"]}
        assert refusal(guesser.get()) == (401, "unauthorized")
        monkeypatch.setitem(app.config, "OPERATOR_TOKEN", ["another-token-of-operators"])
        assert refusal(operator.get()) == (401, "unauthorized")

    def test_is_tried_ten_times_in_a_while(self, operator, guesser):
        answers = [guesser.get() for _ in range(11)]
        assert [answer.status_code for answer in answers] == [401] * 10 + [429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        guesser.headers = operator.headers
        assert refusal(guesser.get()) == (429, "too_many_requests")
        assert operator.get().status_code == 200

    def test_is_not_counted_where_there_is_none(self, app, operator):
        caller = OperatorCaller(app.test_client(), "")
        assert [caller.get().status_code for _ in range(12)] == [401] * 12
        caller.headers = operator.headers
        assert caller.get().status_code == 200

    def test_is_no_passport_and_no_cookie(self, operator, alice, app):
        for headers in (alice.headers, {"Authorization": f"Bearer {alice.headers['X-App-Passport']}"}):
            assert alice.client.get("/operator/api/apps", headers=headers).status_code == 401
        client = app.test_client()
        client.set_cookie("frontdesk_operator", OPERATOR_TOKEN, path="/operator")
        assert client.get("/operator/api/apps").status_code == 401

    def test_that_is_not_set_leaves_no_api(self):
        app = Flask("without")
        app.config["OPERATOR_TOKEN"] = []
        operator_api.init_app(app)
        assert [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/operator")] == []


class TestConversations:
    def test_are_listed_page_by_page(self, operator, alice, rated):
        alice.ask("Another")
        first = operator.read("/conversations", app=alice.app.code, limit=1)
        rest = operator.read("/conversations", app=alice.app.code, limit=1, following=first["following"])
        assert (first["has_more"], first["limit"], rest["has_more"], rest["following"]) == (True, 1, False, None)
        assert [row["name"] for page in (first, rest) for row in page["data"]] == ["Another", "How long is the Nile…"]

    def test_are_narrowed(self, operator, alice, rated):
        wanted = {"app": alice.app.code, "rating": "like", "since": "2020-01-01", "words": "NILE"}
        assert [row["id"] for row in operator.read("/conversations", **wanted)["data"]] == [rated["conversation_id"]]
        assert operator.read("/conversations", **wanted | {"rating": "dislike"})["data"] == []
        assert operator.read("/conversations", **wanted | {"until": "2020-01-02T00:00:00Z"})["data"] == []

    def test_are_shown_with_their_messages(self, operator, rated):
        shown = operator.read(f"/conversations/{rated['conversation_id']}")
        (message,) = shown["messages"]["data"]
        assert shown["conversation"]["messages"] == 1
        assert (message["query"], message["rating"]) == ("How long is the Nile?", "like")

    def test_have_feedback(self, operator, alice, rated):
        (row,) = operator.read("/feedback", app=alice.app.code)["data"]
        assert (row["rating"], row["content"]) == ("like", "Good")


class TestExports:
    def test_of_answers_have_a_line_for_each(self, operator, alice, rated):
        alice.ask("Another")
        answer = operator.get("/conversations/export", app=alice.app.code)
        rows = [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
        assert [row["query"] for row in rows] == ["How long is the Nile?", "Another"]
        assert answer.headers["Content-Disposition"] == "attachment; filename=answers.jsonl"

    def test_of_feedback_are_tables(self, operator, alice, rated):
        answer = operator.get("/feedback/export", app=alice.app.code, format="csv")
        (row,) = csv.DictReader(answer.get_data(as_text=True).splitlines())
        assert (row["rating"], row["content"], answer.mimetype) == ("like", "Good", "text/csv")

    def test_are_sent_while_they_are_made(self, operator, alice, monkeypatch):
        """Whoever goes away after the first block has cost no more than its rows."""
        monkeypatch.setattr("app.services.reports.exports.PAGE_ROWS", 2)
        monkeypatch.setattr("app.services.reports.export_formats.BLOCK_BYTES", 1)
        for number in range(9):
            alice.ask(f"Question {number}")
        pages = []
        read = exports.list_message_rows
        monkeypatch.setattr(exports, "list_message_rows", lambda *given: pages.append(given) or read(*given))
        path = f"/operator/api/conversations/export?app={alice.app.code}&mode=chat"
        answer = operator.client.get(path, headers=operator.headers)
        blocks = answer.iter_encoded()
        assert b"Question 0" in next(blocks) and len(pages) == 1
        answer.close()
        assert len(pages) == 1


class TestRuns:
    def test_are_listed(self, operator, run_id):
        assert run_id in [row["id"] for row in operator.read("/runs", status="succeeded")["data"]]

    def test_are_shown_with_the_states_of_their_nodes(self, operator, run_id):
        shown = operator.read(f"/runs/{run_id}")
        assert shown["inputs"]["topic"] == "rivers" and shown["outputs"] == {"topic": "rivers"}
        assert {node["id"]: node["state"] for node in shown["graph"]["nodes"]} == dict.fromkeys(
            ("start", "end"), "succeeded"
        )

    def test_give_their_node_executions_page_by_page(self, operator, run_id):
        first = operator.read(f"/runs/{run_id}/executions", limit=1)
        rest = operator.read(f"/runs/{run_id}/executions", limit=1, following=first["following"])
        assert [page["data"][0]["node_id"] for page in (first, rest)] == ["start", "end"]
        assert (first["has_more"], rest["has_more"]) == (True, False)
        (only,) = operator.read(f"/runs/{run_id}/executions", node="end")["data"]
        assert only["outputs"] == {"topic": "rivers"}

    def test_that_wait_can_be_stopped(self, operator, client, run_id):
        waiting = WebVisitor(client, asking("go")).run()[0].data["workflow_run_id"]
        assert operator.send("POST", f"/runs/{waiting}/stop").get_json() == {"stopped": True}
        assert operator.send("POST", f"/runs/{run_id}/stop").get_json() == {"stopped": False}


class TestApps:
    def test_are_listed_and_shown(self, operator, alice):
        assert alice.app.code in [row["code"] for row in operator.read("/apps")["data"]]
        shown = operator.read(f"/apps/{alice.app.code}", missing="true")
        assert shown["app"]["enabled"] and shown["needs"]["models"][0]["name"] == "scripted"
        assert shown["missing"] == [] and shown["members"] == []

    def test_are_switched(self, operator, alice):
        body = {"enabled": False, "access_mode": "private"}
        answer = operator.send("PATCH", f"/apps/{alice.app.code}", body).get_json()
        assert (answer["app"]["enabled"], answer["app"]["access_mode"]) == (False, "private")
        assert alice.get("/parameters").status_code == 400
        operator.send("PATCH", f"/apps/{alice.app.code}", {"enabled": True})
        assert published_apps.by_code(alice.app.code).enabled

    @pytest.mark.parametrize("body", [{"enabled": "perhaps"}, {"access_mode": "nobody"}, {"name": "x"}, [], None])
    def test_are_not_switched_to_anything_else(self, operator, alice, body):
        answer = operator.send("PATCH", f"/apps/{alice.app.code}", body)
        assert answer.status_code in (400, 415) and published_apps.by_code(alice.app.code).enabled


def test_usage_is_added_up_by_several_names(operator, alice, rated):
    rows = operator.read("/usage", app=alice.app.code, by="app,day")["data"]
    assert [row["group"]["app"] for row in rows] == [alice.app.code]
    assert (rows[0]["answers"], rows[0]["total_tokens"] > 0) == (1, True)


def test_activity_counts_answers_by_the_hour(operator, alice, rated):
    (hour,) = operator.read("/activity", app=alice.app.code)["data"]
    assert (hour["succeeded"], hour["end_users"]) == (1, 1)


def test_a_search_finds_by_words_and_ids(operator, alice, rated):
    found = operator.read("/search", q=rated["message_id"])["things"]
    assert [(thing["kind"], thing["conversation_id"]) for thing in found] == [("message", rated["conversation_id"])]
    assert alice.app.code in [app["code"] for app in operator.read("/search", q=alice.app.code)["apps"]]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/conversations", {"limit": "0"}),
        ("/conversations", {"limit": "201"}),
        ("/conversations", {"rating": "love"}),
        ("/conversations", {"since": "yesterday"}),
        ("/conversations", {"app": "no-such-app"}),
        ("/conversations", {"following": "x"}),
        ("/conversations", {"words": "a\0b"}),
        ("/conversations", {"words": "x" * 256}),
        ("/conversations", {"code": "chat"}),
        ("/runs", {"status": "done"}),
        ("/runs", {"mode": "chat"}),
        ("/usage", {"by": "colour"}),
        ("/usage", {"by": "app,app"}),
        ("/usage", {"by": "app,day,month,model,account"}),
        ("/conversations/export", {"format": "xml"}),
        ("/feedback/export", {"rating": "love"}),
        ("/conversations/export", {"app": "no-such-app"}),
        ("/search", {}),
        ("/apps", {"page": "1"}),
    ],
)
def test_what_cannot_be_asked_is_refused(operator, path, query):
    assert refusal(operator.get(path, **query)) == (400, "invalid_param")


@pytest.mark.parametrize(
    "path",
    [
        f"/conversations/{NOBODY}",
        f"/runs/{NOBODY}",
        f"/runs/{NOBODY}/executions",
        "/apps/no-such-app",
        "/runs/x",
        "/x/y",
    ],
)
def test_what_is_not_there_is_not_found(operator, path):
    assert refusal(operator.get(path)) == (404, "not_found")


def test_answers_are_kept_out_of_caches(operator):
    headers = operator.get("/apps").headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_it_is_no_part_of_the_document(app):
    assert not [path for path in swagger_document(app)["paths"] if "operator" in path]


def test_the_docs_list_every_route(app):
    page = (PROJECT / "app" / "docs" / "operator.md").read_text()
    listed = set(re.findall(r"^\| `(GET|POST|PATCH) (/operator/api[^`?]*)`", page, re.MULTILINE))
    routes = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", lambda found: found[1].upper(), rule.rule))
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/operator/api") and rule.endpoint != "operator_api.unknown"
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert listed == routes
