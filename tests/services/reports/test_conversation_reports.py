"""Conversations, messages and feedback as operators see them."""

import datetime

import pytest

from app.agents.steps import AgentStep
from app.models.identifiers import new_id, now
from app.services.reports import conversation_reports, report_filters, run_records, usage_reports
from app.services.reports.report_filters import ReportFilter, ReportRefused
from tests.support.agents import agent, house_registry
from tests.support.factories import make_app, make_graph_app
from tests.support.logins import app_of_mode
from tests.support.people import execute
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import answer, end, graph, start
from tests.support.workflow.toolbox import CountedTool


def listed(following=None, limit=50, **asked):
    return conversation_reports.list_conversations(ReportFilter(**asked), following, limit)


def ask(visitor, query="Hi", **body):
    """Return the ids of conversation and message."""
    frame = visitor.ask(query, **body)[-1].data
    return frame["conversation_id"], frame["message_id"]


def names_of(page):
    return [row.id for row in page.rows]


class TestAListOfConversations:
    def test_has_the_last_active_first_and_counts_their_messages(self, alice):
        first, _ = ask(alice)
        second, _ = ask(alice)
        ask(alice, conversation_id=first)
        page = listed(app=alice.app.code)
        assert [(row.id, row.messages) for row in page.rows] == [(first, 2), (second, 1)]
        assert page.following is None
        assert page.rows[0].tokens > 0

    def test_goes_on_behind_each_page(self, alice):
        ids = [ask(alice)[0] for _ in range(5)][::-1]
        seen, following = [], None
        for _ in range(3):
            page = listed(following, 2, app=alice.app.code)
            seen += names_of(page)
            following = page.following
        assert (seen, following) == (ids, None)

    def test_is_narrowed_to_an_end_user_by_session_or_id(self, alice, bob):
        ask(alice)
        wanted, _ = ask(bob)
        (row,) = (row for row in listed(app=bob.app.code).rows if row.id == wanted)
        assert names_of(listed(app=bob.app.code, end_user=row.end_user)) == [wanted]
        assert names_of(listed(end_user=row.end_user_id)) == [wanted]

    def test_is_narrowed_to_an_account(self, ann, client):
        house = app_of_mode("private_all")
        ann.log_in()
        wanted, _ = ask(WebVisitor(client, house, passport=ann.passport(house)))
        (row,) = listed(account=ann.email.upper()).rows
        assert (row.id, row.account) == (wanted, ann.email)

    def test_is_narrowed_to_a_span_without_its_end(self, alice):
        wanted, _ = ask(alice)
        (moment,) = (row.updated_at for row in listed(app=alice.app.code).rows)
        second = datetime.timedelta(seconds=1)
        assert names_of(listed(app=alice.app.code, since=moment, until=moment + second)) == [wanted]
        assert names_of(listed(app=alice.app.code, until=moment)) == []
        assert names_of(listed(app=alice.app.code, since=moment + second)) == []

    def test_is_narrowed_to_ratings(self, alice):
        ask(alice)
        wanted, message = ask(alice)
        alice.post(f"/messages/{message}/feedbacks", {"rating": "dislike", "content": "Wrong."})
        assert names_of(listed(app=alice.app.code, rating="dislike")) == [wanted]
        assert names_of(listed(app=alice.app.code, rating="like")) == []

    def test_is_narrowed_to_failures(self, alice, model):
        ask(alice)
        model.script(error="rate_limit")
        wanted = alice.ask()[-1].data["conversation_id"]
        assert [(row.id, row.failures) for row in listed(app=alice.app.code, status="error").rows] == [(wanted, 1)]

    def test_is_narrowed_to_words_in_whatever_case_and_signs_mean_themselves(self, alice):
        wanted, _ = ask(alice, "Is 50% of Tea enough?")
        ask(alice, "Is 50 of tea enough?")
        assert names_of(listed(app=alice.app.code, words="50% OF tea")) == [wanted]

    def test_leaves_deleted_conversations_out(self, alice):
        wanted, _ = ask(alice)
        assert alice.delete(f"/conversations/{wanted}").status_code == 204
        assert names_of(listed(app=alice.app.code)) == []

    def test_has_completions_too(self, client):
        visitor = WebVisitor(client, make_app("completion"))
        visitor.post("/completion-messages", {"inputs": {"query": "x"}, "response_mode": "blocking"})
        assert [(row.mode, row.messages) for row in listed(app=visitor.app.code).rows] == [("completion", 1)]

    @pytest.mark.parametrize(
        ("asked", "complaint"),
        [
            ({"app": "no-such-app"}, "no app with code 'no-such-app'"),
            ({"end_user": "nobody"}, "no end user"),
            ({"account": "nobody@example.com"}, "No account"),
            ({"rating": "love"}, "like or dislike"),
        ],
    )
    def test_is_refused_for_what_is_not_there(self, app, asked, complaint):
        with pytest.raises(ReportRefused, match=complaint):
            listed(**asked)

    @pytest.mark.parametrize(
        "following", ["", "x", "2026-01-01T00:00:00Z_x", "2026-01-01T00:00:00_0f4d2c7e-3f6b-4a57-9a0e-5d5f3c1b2a49"]
    )
    def test_is_refused_for_a_page_that_no_page_led_to(self, app, following):
        with pytest.raises(ReportRefused, match="No page"):
            listed(following)

    def test_is_refused_where_it_takes_too_long(self, alice):
        with pytest.raises(ReportRefused, match="narrow it"), report_filters.bounded(0.05) as connection:
            connection.exec_driver_sql("SELECT pg_sleep(5)")


class TestAConversation:
    def test_is_shown_with_its_messages_in_their_order(self, alice):
        wanted, first = ask(alice, "One?")
        _, second = ask(alice, "Two?", conversation_id=wanted)
        alice.post(f"/messages/{second}/feedbacks", {"rating": "like", "content": "Nice."})
        shown = conversation_reports.show_conversation(wanted)
        assert shown.summary.id == wanted
        assert [(m.id, m.query, m.status, m.rating, m.rating_content) for m in shown.messages.rows] == [
            (first, "One?", "normal", None, None),
            (second, "Two?", "normal", "like", "Nice."),
        ]
        assert shown.messages.rows[0].usage["total_tokens"] > 0

    def test_goes_on_behind_a_page(self, alice):
        wanted, first = ask(alice)
        _, second = ask(alice, conversation_id=wanted)
        page = conversation_reports.show_conversation(wanted, limit=1).messages
        assert [message.id for message in page.rows] == [first]
        page = conversation_reports.show_conversation(wanted, page.following, 1).messages
        assert ([message.id for message in page.rows], page.following) == ([second], None)

    def test_ends_a_page_early_for_its_bytes(self, alice, app, monkeypatch):
        monkeypatch.setitem(app.config, "HISTORY_PAGE_BYTES", 1)
        wanted, first = ask(alice)
        ask(alice, conversation_id=wanted)
        page = conversation_reports.show_conversation(wanted).messages
        assert [message.id for message in page.rows] == [first] and page.following

    def test_tells_what_an_agent_did(self, client, model, monkeypatch):
        registry = house_registry(CountedTool("lookup"))
        monkeypatch.setattr("app.services.process.tool_registry.tool_registry", lambda: registry)
        monkeypatch.setattr("app.services.generation.run_tools.tool_registry", lambda: registry)
        visitor = agent(client)
        model.script("Let me see.", tool_calls=[("lookup", {"text": "tea"})])
        model.script("Tea.")
        wanted, _ = ask(visitor)
        (message,) = conversation_reports.show_conversation(wanted).messages.rows
        first, second = message.steps
        assert isinstance(first, AgentStep)
        assert [(call.name, call.input) for call in first.calls] == [("lookup", {"text": "tea"})]
        assert second.calls == []

    def test_has_the_run_of_a_chatflow_with_its_nodes_where_asked_for(self, client):
        flow = graph(start(), answer("{{#sys.query#}}!"), "start > answer")
        wanted, _ = ask(WebVisitor(client, make_graph_app(flow, "advanced-chat")))
        (message,) = conversation_reports.show_conversation(wanted, with_runs=True).messages.rows
        assert message.run is not None and message.run.summary.message_id == message.id
        assert [node.node_id for node in message.run.nodes] == ["start", "answer"]
        assert conversation_reports.show_conversation(wanted).messages.rows[0].run is None

    @pytest.mark.parametrize("unknown", ["none", "01920000-0000-7000-8000-000000000000"])
    def test_that_is_not_there_is_refused(self, app, unknown):
        with pytest.raises(ReportRefused, match="no conversation"):
            conversation_reports.show_conversation(unknown)


class TestFeedback:
    def test_is_listed_newest_first(self, alice, bob):
        ids = []
        for visitor, rating in ((alice, "like"), (bob, "dislike"), (alice, "like")):
            _, message = ask(visitor)
            visitor.post(f"/messages/{message}/feedbacks", {"rating": rating, "content": "So."})
            ids.append(message)
        ask(alice)
        asked = ReportFilter(app=alice.app.code)
        page = conversation_reports.list_feedback(asked, limit=2)
        assert [(row.message_id, row.rating, row.content) for row in page.rows] == [
            (ids[2], "like", "So."),
            (ids[1], "dislike", "So."),
        ]
        assert [row.message_id for row in conversation_reports.list_feedback(asked, page.following).rows] == [ids[0]]

    def test_is_narrowed_to_ratings_and_words(self, alice):
        _, message = ask(alice)
        alice.post(f"/messages/{message}/feedbacks", {"rating": "dislike", "content": "Too long."})
        app = alice.app.code
        assert conversation_reports.list_feedback(ReportFilter(app=app, rating="like")).rows == []
        (found,) = conversation_reports.list_feedback(ReportFilter(app=app, words="too LONG")).rows
        assert found.message_id == message


class TestRuns:
    def test_are_listed_with_filters_and_pages(self, client):
        visitor = WebVisitor(
            client, make_graph_app(graph(start(text="text-input"), end(r=["start", "text"]), "start > end"))
        )
        ids = [visitor.run(text=text)[0].data["workflow_run_id"] for text in ("one", "two", "three")][::-1]
        page = run_records.list_runs(ReportFilter(app=visitor.app.code, mode="workflow"), limit=2)
        rest = run_records.list_runs(ReportFilter(app=visitor.app.code), page.following)
        assert [run.id for run in (*page.rows, *rest.rows)] == ids
        assert [run.id for run in run_records.list_runs(ReportFilter(app=visitor.app.code, words="TWO")).rows] == [
            ids[1]
        ]
        assert run_records.list_runs(ReportFilter(app=visitor.app.code, mode="advanced-chat")).rows == []
        assert run_records.list_runs(ReportFilter(app=visitor.app.code, status="failed")).rows == []


def store_usage(app, created_at, model="m", tokens=(0, 0), price=None, currency="", end_user=None, task=None):
    execute(
        "INSERT INTO usage_records (id, task_id, purpose, app_id, end_user_id, endpoint, model, calls, prompt_tokens,"
        " completion_tokens, total_tokens, prompt_price, completion_price, currency, created_at) VALUES (:id, :task,"
        " 'answer', :app, :end_user, 'e', :model, 1, :asked, :told, :asked + :told, :price, :price, :currency, :at)",
        id=new_id(),
        task=task or new_id(),
        app=app.id,
        end_user=end_user,
        model=model,
        asked=tokens[0],
        told=tokens[1],
        price=price,
        currency=currency,
        at=created_at,
    )


class TestUsage:
    def test_is_added_up_by_what_is_asked_for(self, app):
        house, noon = make_app(), datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
        task = new_id()
        store_usage(house, noon, "big", (10, 5), "0.25", "USD", task=task)
        store_usage(house, noon, "small", (1, 1), "0.01", "EUR", task=task)
        store_usage(house, noon + datetime.timedelta(days=1), "big", (10, 5), "0.50", "USD")
        store_usage(house, noon + datetime.timedelta(days=1), "free", (3, 4))
        asked = ReportFilter(app=house.code)
        (whole,) = usage_reports.usage(asked)
        assert (whole.answers, whole.calls, whole.total_tokens, whole.unpriced_tokens) == (3, 4, 39, 7)
        assert {name: str(price) for name, price in whole.prices.items()} == {"USD": "1.50", "EUR": "0.02"}
        by_day = usage_reports.usage(asked, ["day"])
        assert [(row.group["day"], row.answers, row.total_tokens) for row in by_day] == [
            ("2026-03-01", 1, 17),
            ("2026-03-02", 2, 22),
        ]
        by_all = usage_reports.usage(asked, ["model", "app", "account", "day", "hour", "month", "endpoint", "purpose"])
        assert [row.group["model"] for row in by_all] == ["big", "big", "free", "small"]
        assert by_all[0].group == {
            "model": "big",
            "app": house.code,
            "account": "",
            "day": "2026-03-01",
            "hour": "2026-03-01T12:00Z",
            "month": "2026-03",
            "endpoint": "e",
            "purpose": "answer",
        }
        assert usage_reports.usage(ReportFilter(app=house.code, until=noon)) == [
            usage_reports.UsageReport({}, 0, 0, 0, 0, 0, 0, {})
        ]

    def test_is_refused_by_an_unknown_name(self, app):
        with pytest.raises(ReportRefused, match="added up by"):
            usage_reports.usage(ReportFilter(), ["colour"])

    def test_tells_of_answers_by_the_hour(self, alice, bob, model):
        ask(alice)
        ask(bob)
        model.script(error="rate_limit")
        alice.ask()
        hours = usage_reports.activity(ReportFilter(app=alice.app.code))
        assert (sum(hour.succeeded for hour in hours), sum(hour.failed for hour in hours)) == (2, 1)
        assert hours[0].hour <= now() and hours[0].end_users >= 1


def test_what_has_an_id_is_found(alice):
    conversation, message = ask(alice)
    assert [(thing.kind, thing.conversation_id) for thing in usage_reports.things_of_id(conversation)] == [
        ("conversation", conversation)
    ]
    assert [(thing.kind, thing.conversation_id) for thing in usage_reports.things_of_id(f" {message} ")] == [
        ("message", conversation)
    ]
    assert usage_reports.things_of_id("tea") == []
