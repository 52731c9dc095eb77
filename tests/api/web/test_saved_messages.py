"""Saved messages of completion apps (contract endpoints.md)."""

import uuid

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from tests.support.web_client import WebVisitor


@pytest.fixture
def writer(client):
    return WebVisitor.of_new_app(client, mode="completion")


def write(visitor, query="q"):
    return visitor.post("/completion-messages", {"inputs": {}, "query": query}).get_json()["id"]


def save(visitor, message_id):
    return visitor.post("/saved-messages", {"message_id": message_id})


def test_a_saved_message_is_listed_with_its_rating(writer):
    message_id = write(writer, "cats")
    assert save(writer, message_id).get_json() == {"result": "success"}
    writer.post(f"/messages/{message_id}/feedbacks", {"rating": "like"})
    page = writer.get("/saved-messages").get_json()
    (item,) = page["data"]
    assert (page["limit"], page["has_more"]) == (20, False)
    assert item.keys() == {"id", "inputs", "query", "answer", "message_files", "feedback", "created_at"}
    assert (item["id"], item["query"], item["feedback"]) == (message_id, "cats", {"rating": "like"})


def test_the_newest_message_comes_first_whenever_it_was_saved(writer):
    ids = [write(writer) for _ in range(3)]
    for message_id in (ids[1], ids[2], ids[0]):
        save(writer, message_id)
    assert [item["id"] for item in writer.get("/saved-messages").get_json()["data"]] == ids[::-1]


def test_pages_follow_one_another_even_where_times_are_equal(writer):
    ids = {write(writer) for _ in range(5)}
    for message_id in ids:
        save(writer, message_id)
    with autocommit_engine().connect() as connection:
        connection.execute(text("UPDATE messages SET created_at = now() WHERE app_id = :id"), {"id": writer.app.id})
    seen, more, last_id = [], True, ""
    while more:
        page = writer.get("/saved-messages", limit=2, last_id=last_id).get_json()
        seen += [item["id"] for item in page["data"]]
        more, last_id = page["has_more"], seen[-1]
    assert len(seen) == 5 and set(seen) == ids


def test_a_page_ends_before_the_message_that_makes_it_too_large(writer, app, monkeypatch):
    monkeypatch.setitem(app.config, "HISTORY_PAGE_BYTES", 2_500)
    ids = [write(writer, "x" * 1_000) for _ in range(3)]
    for message_id in ids:
        save(writer, message_id)
    page = writer.get("/saved-messages").get_json()
    assert ([item["id"] for item in page["data"]], page["has_more"]) == ([ids[2], ids[1]], True)
    page = writer.get("/saved-messages", last_id=ids[1]).get_json()
    assert ([item["id"] for item in page["data"]], page["has_more"]) == ([ids[0]], False)


def test_saving_twice_is_fine(writer):
    message_id = write(writer)
    assert [save(writer, message_id).status_code for _ in range(2)] == [200, 200]
    assert len(writer.get("/saved-messages").get_json()["data"]) == 1


def test_the_message_id_may_stand_in_the_query(writer):
    message_id = write(writer)
    assert writer.client.post(f"/api/saved-messages?message_id={message_id}", headers=writer.headers).status_code == 200


def test_a_removed_one_is_gone_and_removing_again_is_fine(writer):
    message_id = write(writer)
    save(writer, message_id)
    for _ in range(2):
        answer = writer.client.delete(f"/api/saved-messages/{message_id}", headers=writer.headers)
        assert (answer.status_code, answer.get_data(), answer.content_type) == (204, b"", None)
    assert writer.get("/saved-messages").get_json()["data"] == []


@pytest.mark.parametrize("message_id", ["", "abc", None])
def test_a_bad_id_is_refused(writer, message_id):
    answer = save(writer, message_id)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_anothers_message_cannot_be_saved(client, writer):
    answer = save(WebVisitor(client, writer.app), write(writer))
    assert (answer.status_code, answer.get_json()["message"]) == (404, "Message Not Exists.")


def test_an_unknown_last_id_is_refused_without_a_word(writer):
    answer = writer.get("/saved-messages", last_id=str(uuid.uuid4()))
    assert (answer.status_code, answer.get_json()["code"], answer.get_json()["message"]) == (400, "invalid_param", "")


def test_a_chat_app_saves_no_messages(alice):
    answers = [alice.get("/saved-messages"), save(alice, str(uuid.uuid4()))]
    assert {(answer.status_code, answer.get_json()["code"]) for answer in answers} == {(400, "not_completion_app")}
