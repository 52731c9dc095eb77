"""What the operators' pages show: the last day, conversations, feedback, usage, and the search."""

import json
import re

import pytest

from app.models.accounts import find_account
from tests.support.factories import make_app
from tests.support.operators import read
from tests.support.people import execute
from tests.support.scripted_model import ScriptedModel
from tests.support.web_client import WebVisitor

MARKUP = '"><img src=x onerror=alert(1)><script>alert(2)</script>'


@pytest.fixture
def rated(alice: WebVisitor) -> dict[str, str]:
    """A conversation of Alice whose message she disliked."""
    started = alice.ask("How long is the Nile?")[0].data
    alice.post(f"/messages/{started['message_id']}/feedbacks", {"rating": "dislike", "content": "Not a number"})
    return started


def test_the_last_day_in_numbers(operator, rated):
    page = read(operator.page())
    assert "Answers ended" in page and "Answers by outcome" in page and "Not a number" in page


def test_what_failed_is_told_with_its_cause(operator, alice):
    alice.chat("[[fail:401]]")
    assert "Incorrect API key provided" in read(operator.page())


def test_a_conversation_is_found_by_each_filter(operator, alice, rated):
    link = f"/operator/conversations/{rated['conversation_id']}"
    filters = (
        {"app": alice.app.code},
        {"app": alice.app.code, "rating": "dislike"},
        {"app": alice.app.code, "status": "normal"},
        {"app": alice.app.code, "since": "2020-01-01", "until": "2100-01-01"},
        {"app": alice.app.code, "words": "the nile"},
    )
    assert all(link in operator.page("/conversations", **wanted) for wanted in filters)
    others = ({"rating": "like"}, {"status": "error"}, {"until": "2020-01-01"}, {"words": "the amazon"})
    assert not any(link in operator.page("/conversations", app=alice.app.code, **wanted) for wanted in others)


def test_a_conversation_is_found_by_its_person(operator, client, alice):
    WebVisitor(client, alice.app, "somebody").ask("Mine")
    page = operator.page("/conversations", end_user="somebody")
    assert "Mine" in page and page.count("<tr>") == 2


def test_a_list_goes_on_behind_its_page(operator, alice, monkeypatch):
    monkeypatch.setattr("app.pages.operator.filters.PAGE_ROWS", 2)
    for number in range(3):
        alice.ask(f"Question {number}")
    page = operator.page("/conversations", app=alice.app.code)
    following = page.partition('href="/operator/conversations?app=')[2].partition('" rel="next"')[0].partition('"')[0]
    assert "Question 0" not in page and "Question 1" in page
    after = operator.get(f"/conversations?app={following.replace('&amp;', '&')}").get_data(as_text=True)
    assert "Question 0" in after and "Question 1" not in after


def test_a_conversation_shows_what_was_said_and_thought_of_it(operator, rated):
    page = read(operator.page(f"/conversations/{rated['conversation_id']}"))
    assert "How long is the Nile?" in page and "tok0 tok1" in page
    assert "▼ disliked" in page and "Not a number" in page and rated["message_id"] in page


def test_the_steps_of_an_agent_are_shown(operator, asker, model: ScriptedModel):
    started = asker.ask('[[call:lookup {"topic": "rivers"}]]')[0].data
    page = read(operator.page(f"/conversations/{started['conversation_id']}"))
    assert "Tool lookup" in page and "rivers" in page


def test_the_passages_that_an_answer_cites_are_shown(operator, rated):
    cited = [
        {"document_name": MARKUP, "dataset_name": "Rivers", "content": "6,650 km", "score": 0.5},
        {"document_name": "Atlas", "content": "No score"},
    ]
    details = json.dumps({"retriever_resources": cited, "usage": {"total_price": "0.0012", "currency": "USD"}})
    execute("UPDATE messages SET metadata = :details WHERE id = :id", details=details, id=rated["message_id"])
    page = operator.page(f"/conversations/{rated['conversation_id']}")
    assert "2 cited passages" in page and "<script" not in page
    assert "Rivers, score 0.500" in read(page) and "6,650 km" in page and "0.0012 USD" in read(page)


def test_the_files_of_a_message_can_be_opened(operator, client):
    upload = {"file_upload": {"enabled": True, "allowed_file_types": ["document"], "number_limits": 3}}
    visitor = WebVisitor.of_new_app(client, **upload)
    file_id = visitor.upload(name="minutes.txt").get_json()["id"]
    file = {"type": "document", "transfer_method": "local_file", "upload_file_id": file_id}
    started = visitor.ask("Read this", files=[file])[0].data
    page = operator.page(f"/conversations/{started['conversation_id']}")
    link = page.partition('<li><a href="')[2].partition('"')[0].replace("&amp;", "&")
    assert "minutes.txt" in page
    assert client.get(link[link.index("/files/") :]).get_data() == b"hello\n"


def test_feedback_is_listed_with_its_words(operator, alice, rated):
    page = read(operator.page("/feedback", app=alice.app.code, rating="dislike"))
    assert "Not a number" in page and "How long is the Nile?" in page
    assert "Not a number" not in read(operator.page("/feedback", app=alice.app.code, rating="like"))


@pytest.mark.parametrize(
    ("path", "words"), [("/conversations", "How long is the Nile?"), ("/feedback", "Not a number")]
)
def test_what_a_list_shows_can_be_kept_as_a_file(operator, alice, rated, path, words):
    links = re.findall(rf'href="/operator({path}/export[^"]*)"', operator.page(path, app=alice.app.code))
    assert len(links) == 2
    for link in links:
        answer = operator.get(link.replace("&amp;", "&"))
        assert words in answer.get_data(as_text=True) and "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize("by", ["day", "month", "app", "account", "end_user", "model"])
def test_usage_is_added_up(operator, alice, rated, by):
    page = read(operator.page("/usage", app=alice.app.code, by=by))
    assert "Answers" in page and "Tokens" in page


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/conversations", {"since": "yesterday"}),
        ("/conversations", {"until": "2026-13-01"}),
        ("/conversations", {"rating": "love"}),
        ("/conversations", {"app": "no-such-app"}),
        ("/conversations", {"end_user": "nobody-at-all"}),
        ("/conversations", {"words": "x" * 201}),
        ("/conversations", {"words": "a\0b"}),
        ("/conversations", {"following": "here"}),
        ("/runs", {"following": "2026-01-01_x"}),
        ("/usage", {"by": "colour"}),
        ("/search", {"q": "x" * 201}),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(operator, path, query):
    answer = operator.get(path, **query)
    assert answer.status_code == 400 and "This cannot be shown" in read(answer.get_data(as_text=True))


@pytest.mark.parametrize("path", ["/nowhere", "/conversations/x", "/apps/no-such-app"])
def test_what_is_not_there_is_not_found(operator, path):
    assert operator.get(path).status_code == 404


@pytest.mark.parametrize("kind", ["conversations", "runs"])
def test_an_id_that_nothing_has_is_not_found(operator, kind):
    answer = operator.get(f"/{kind}/0198f0a0-0000-7000-8000-000000000001")
    assert answer.status_code == 404 and "There is no" in answer.get_data(as_text=True)


def test_a_search_finds_by_words_names_and_ids(operator, alice, rated):
    conversation = f"/operator/conversations/{rated['conversation_id']}"
    for words in ("long is the Nile", rated["conversation_id"], rated["message_id"], rated["task_id"]):
        assert conversation in operator.page("/search", q=words), words
    for words in (alice.app.code[:12], str(alice.app.id)):
        assert f"/operator/apps/{alice.app.code}" in operator.page("/search", q=words)


def test_a_search_finds_people_and_accounts(operator, client, alice, ann):
    WebVisitor(client, alice.app, "session-to-find").ask("Hi")
    assert "session-to-find" in read(operator.page("/search", q="session-to-find").partition("<h2>People")[2])
    for words in (ann.email[:-4], str(find_account(ann.email).id)):
        assert ann.email in read(operator.page("/search", q=words).partition("<h2>Accounts</h2>")[2])


def test_a_search_takes_signs_of_patterns_as_they_are(operator, rated):
    assert "Nothing was found" in operator.page("/search", q="%_long%")


def test_no_words_of_anybody_become_markup(operator, client, model):
    """Names, questions, answers, feedback, people and files, on each page that shows them."""
    app = make_app()
    visitor = WebVisitor(client, app, MARKUP)
    started = visitor.ask(f"[[say:{MARKUP}]] {MARKUP}")[0].data
    visitor.post(f"/messages/{started['message_id']}/feedbacks", {"rating": "dislike", "content": MARKUP})
    pages = [
        operator.page(path, **query)
        for path, query in (
            ("", {}),
            ("/conversations", {"app": app.code}),
            (f"/conversations/{started['conversation_id']}", {}),
            ("/feedback", {"app": app.code}),
            ("/usage", {"by": "end_user"}),
            ("/search", {"q": MARKUP}),
            ("/conversations", {"words": MARKUP}),
        )
    ]
    assert all("&lt;img" in page for page in pages)
    assert not any("<img" in page or "<script" in page for page in pages)


def test_a_refusal_that_repeats_what_was_asked_is_no_markup(operator):
    page = operator.get("/conversations", app=MARKUP).get_data(as_text=True)
    assert "<img" not in page and "&lt;img" in page


def test_a_page_makes_as_many_statements_for_one_row_as_for_ten(operator, alice, count_statements):
    alice.ask("First")
    one = count_statements(lambda: operator.page("/conversations", app=alice.app.code))
    for number in range(9):
        alice.ask(f"Question {number}")
    assert count_statements(lambda: operator.page("/conversations", app=alice.app.code)) == one


def test_a_fault_is_a_page_that_names_no_internals(operator, monkeypatch):
    def fail(*given: object) -> None:
        raise RuntimeError("postgresql://secret")

    monkeypatch.setattr("app.services.reports.run_records.list_run_summaries", fail)
    answer = operator.get("/runs")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 500 and "Internal Server Error" in page and "secret" not in page
    assert answer.mimetype == "text/html" and answer.headers["X-Frame-Options"] == "DENY"


def test_a_file_name_is_no_markup(operator, client):
    upload = {"file_upload": {"enabled": True, "allowed_file_types": ["document"], "number_limits": 3}}
    visitor = WebVisitor.of_new_app(client, **upload)
    file_id = visitor.upload(name="<img src=x onerror=alert(1)>.txt").get_json()["id"]
    file = {"type": "document", "transfer_method": "local_file", "upload_file_id": file_id}
    started = visitor.ask("Read this", files=[file])[0].data
    page = operator.page(f"/conversations/{started['conversation_id']}")
    assert "<img" not in page and "&lt;img src=x" in page


def test_a_filter_that_is_refused_can_be_left(operator):
    page = operator.get("/conversations", end_user="nobody-at-all").get_data(as_text=True)
    assert '<a href="/operator/conversations">Show this page without filters</a>' in page
