"""Feedback, pins, deletion, suggested questions of chat apps (contract endpoints.md)."""

import uuid

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.services.keeping import retention
from tests.support.web_client import WebVisitor

SUGGESTS = {"suggested_questions_after_answer": {"enabled": True}}


def rate(visitor, message_id, body):
    return visitor.post(f"/messages/{message_id}/feedbacks", body)


def rating_of(visitor, frame):
    return visitor.history(frame.data["conversation_id"])[0]["feedback"]


def test_a_rating_is_set_changed_and_taken_back(alice):
    frame = alice.ask()[0]
    for rating, shown in (("like", {"rating": "like"}), ("dislike", {"rating": "dislike"}), (None, None)):
        assert rate(alice, frame.data["message_id"], {"rating": rating}).get_json() == {"result": "success"}
        assert rating_of(alice, frame) == shown


def test_there_is_nothing_to_take_back(alice):
    answer = rate(alice, alice.ask()[0].data["message_id"], {"rating": None})
    assert (answer.status_code, answer.get_json()["message"]) == (400, "rating cannot be None when feedback not exists")


def test_the_body_wins_over_the_query(alice):
    frame = alice.ask()[0]
    alice.client.post(f"/api/messages/{frame.data['message_id']}/feedbacks?rating=like", headers=alice.headers)
    assert rating_of(alice, frame) == {"rating": "like"}
    alice.client.post(
        f"/api/messages/{frame.data['message_id']}/feedbacks?rating=like", headers=alice.headers, json={"rating": None}
    )
    assert rating_of(alice, frame) is None


def test_another_rating_is_refused(alice):
    assert rate(alice, alice.ask()[0].data["message_id"], {"rating": "meh"}).get_json()["code"] == "invalid_param"


def test_anothers_message_cannot_be_rated(alice, bob, charlie):
    message_id = alice.ask()[0].data["message_id"]
    for stranger in (bob, charlie):
        assert rate(stranger, message_id, {"rating": "like"}).status_code == 404


def test_a_pinned_conversation_moves_to_the_other_list(alice):
    conversation_id = alice.ask()[0].data["conversation_id"]
    for action, pinned in (("pin", True), ("pin", True), ("unpin", False)):
        assert alice.patch(f"/conversations/{conversation_id}/{action}").get_json() == {"result": "success"}
        assert len(alice.get("/conversations", pinned="true").get_json()["data"]) == pinned
        assert len(alice.get("/conversations", pinned="false").get_json()["data"]) == (not pinned)


def test_anothers_conversation_cannot_be_pinned_or_deleted(alice, bob, charlie):
    path = f"/conversations/{alice.ask()[0].data['conversation_id']}"
    for stranger in (bob, charlie):
        assert stranger.patch(f"{path}/pin").status_code == 404
        assert stranger.delete(path).status_code == 404
    assert len(alice.get("/conversations").get_json()["data"]) == 1


def test_a_deleted_conversation_is_gone_everywhere(alice):
    frame = alice.ask()[0]
    conversation_id = frame.data["conversation_id"]
    answer = alice.delete(f"/conversations/{conversation_id}")
    assert (answer.status_code, answer.get_data(), answer.content_type) == (204, b"", None)
    assert alice.get("/conversations").get_json()["data"] == []
    assert alice.get("/messages", conversation_id=conversation_id).status_code == 404
    assert alice.chat(conversation_id=conversation_id).status_code == 404
    assert alice.resume(frame.data["task_id"]).status_code == 404
    assert rate(alice, frame.data["message_id"], {"rating": "like"}).status_code == 404
    assert alice.delete(f"/conversations/{conversation_id}").status_code == 404


def test_a_deleted_conversations_rows_are_removed(alice):
    alice.delete(f"/conversations/{alice.ask()[0].data['conversation_id']}")
    retention.purge_deleted()
    with autocommit_engine().connect() as connection:
        for table in ("conversations", "messages", "tasks"):
            assert (
                connection.execute(
                    text(f"SELECT count(*) FROM {table} WHERE app_id = :id"), {"id": alice.app.id}
                ).scalar()
                == 0
            )


def test_questions_are_suggested_by_the_model(client, model):
    visitor = WebVisitor.of_new_app(client, **SUGGESTS)
    message_id = visitor.ask("What is love?")[0].data["message_id"]
    model.script('Sure: ["Who?", "Why?", ', '"When?"]')
    assert visitor.get(f"/messages/{message_id}/suggested-questions").get_json() == {"data": ["Who?", "Why?", "When?"]}
    assert "What is love?" in model.requests[-1].body["messages"][0]["content"]


@pytest.mark.parametrize(
    "chunks",
    [
        ('<think>Maybe ["No?"]</think>\n', '["Who?", "Why?"]'),
        ('Maybe ["No?"]\n</think>\n', '```json\n["Who?", "Why?"]\n```'),
        ('Like ["x"]: {"questions": ["Who?", "Why?"]}',),
        ("['Who?', 'Why?',]",),
    ],
)
def test_suggested_questions_are_no_thoughts(client, model, chunks):
    visitor = WebVisitor.of_new_app(client, **SUGGESTS)
    model.script("<think>Love…</think>\n", "Love is.")
    message_id = visitor.ask("What is love?")[0].data["message_id"]
    model.script(*chunks, delay=0.05)
    assert visitor.get(f"/messages/{message_id}/suggested-questions").get_json() == {"data": ["Who?", "Why?"]}
    assert model.requests[-1].body["messages"][0]["content"].endswith("Assistant: Love is.")


def test_the_apps_own_prompt_asks_for_suggestions(client, model):
    feature = {"enabled": True, "prompt": "Suggest rude questions."}
    visitor = WebVisitor.of_new_app(client, suggested_questions_after_answer=feature)
    visitor.get(f"/messages/{visitor.ask()[0].data['message_id']}/suggested-questions")
    assert "Suggest rude questions." in model.requests[-1].body["messages"][0]["content"]


def test_nothing_is_suggested_after_a_failed_message(client, model):
    visitor = WebVisitor.of_new_app(client, **SUGGESTS)
    model.script(status=401)
    message_id = visitor.ask()[0].data["message_id"]
    asked = len(model.requests)
    answer = visitor.get(f"/messages/{message_id}/suggested-questions")
    assert (answer.get_json(), len(model.requests)) == ({"data": []}, asked)


@pytest.mark.parametrize("script", [{"status": 500}, {"chunks": ("no list",)}, {"chunks": ("[1, 2]",)}])
def test_a_failing_model_suggests_nothing(client, model, script):
    visitor = WebVisitor.of_new_app(client, **SUGGESTS)
    message_id = visitor.ask()[0].data["message_id"]
    model.script(*script.get("chunks", ()), status=script.get("status", 200))
    answer = visitor.get(f"/messages/{message_id}/suggested-questions")
    assert (answer.status_code, answer.get_json()) == (200, {"data": []})


def test_suggestions_are_refused_where_they_are_off(alice):
    answer = alice.get(f"/messages/{alice.ask()[0].data['message_id']}/suggested-questions")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "app_suggested_questions_after_answer_disabled")


def test_nothing_is_suggested_after_an_unknown_message(alice):
    answer = alice.get(f"/messages/{uuid.uuid4()}/suggested-questions")
    assert (answer.status_code, answer.get_json()["message"]) == (404, "Message not found")
