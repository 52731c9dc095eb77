"""GET /conversations and POST …/name (contract endpoints.md)."""

import uuid

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine, db
from app.providers.models.chat_model import ChatModel
from tests.support.factories import make_app
from tests.support.web_client import WebVisitor

BAD_QUERIES = [
    {"limit": 0},
    {"limit": 101},
    {"limit": "2.5"},
    {"limit": ""},
    {"limit": "x"},
    {"sort_by": "name"},
    {"last_id": "x"},
    {"pinned": "maybe"},
    {"pinned": ""},
]
BAD_NAMES = [
    {},
    {"name": None},
    {"name": " "},
    {"name": "\0"},
    {"name": "x" * 256},
    {"name": 5},
    {"auto_generate": "maybe"},
]


def ids(answer):
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return [item["id"] for item in answer.get_json()["data"]]


def begin(visitor, query="Hi"):
    return visitor.ask(query)[0].data["conversation_id"]


def rename(visitor, conversation_id, body=None, **more):
    return visitor.post(f"/conversations/{conversation_id}/name", body, **more)


def test_a_conversation_has_seven_fields(client, app):
    form = [{"text-input": {"variable": "name", "label": "Name"}}]
    visitor = WebVisitor.of_new_app(client, opening_statement="Hi {{name}}", user_input_form=form)
    visitor.ask("Hello there", inputs={"name": "Ann", "other": 1})
    page = visitor.get("/conversations").get_json()
    (item,) = page["data"]
    assert (page["limit"], page["has_more"]) == (20, False)
    assert item.keys() == {"id", "name", "inputs", "status", "introduction", "created_at", "updated_at"}
    assert (item["inputs"], item["introduction"], item["status"]) == ({"name": "Ann"}, "Hi Ann", "normal")


def test_the_newest_comes_first_unless_said_otherwise(alice):
    first, second = begin(alice), begin(alice)
    alice.ask(conversation_id=first)
    assert ids(alice.get("/conversations")) == [first, second]
    assert ids(alice.get("/conversations", sort_by="updated_at")) == [second, first]
    assert ids(alice.get("/conversations", sort_by="-created_at")) == [second, first]
    assert ids(alice.get("/conversations", sort_by="created_at")) == [first, second]


@pytest.mark.parametrize("sort_by", ["-updated_at", "updated_at", "-created_at", "created_at"])
def test_pages_follow_one_another_even_where_times_are_equal(alice, sort_by):
    known = {begin(alice) for _ in range(5)}
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE conversations SET updated_at = now(), created_at = now() WHERE app_id = :id"),
            {"id": alice.app.id},
        )
    seen, more, last_id = [], True, ""
    while more:
        answer = alice.get("/conversations", limit=2, last_id=last_id, sort_by=sort_by)
        seen += ids(answer)
        more, last_id = answer.get_json()["has_more"], seen[-1]
    assert len(seen) == 5 and set(seen) == known


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_bad_query_is_refused(alice, query):
    answer = alice.get("/conversations", **query)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_an_unknown_last_id_is_not_found(alice):
    answer = alice.get("/conversations", last_id=str(uuid.uuid4()))
    assert (answer.status_code, answer.get_json()["message"]) == (404, "Last Conversation Not Exists.")


def test_a_pinned_one_is_no_last_id_of_the_others(alice):
    pinned, _ = begin(alice), begin(alice)
    alice.patch(f"/conversations/{pinned}/pin")
    assert alice.get("/conversations", pinned="false", last_id=pinned).status_code == 404
    assert ids(alice.get("/conversations", pinned="true")) == [pinned]


def test_nothing_pinned_is_an_empty_page_whatever_the_last_id(alice):
    answer = alice.get("/conversations", pinned="true", last_id=str(uuid.uuid4()))
    assert answer.get_json() == {"limit": 20, "has_more": False, "data": []}


@pytest.mark.parametrize("spelling", ["true", "True", "1", "yes", "on", "t"])
def test_pinned_ones_alone_are_listed_however_that_is_spelled(alice, spelling):
    pinned, _ = begin(alice), begin(alice)
    alice.patch(f"/conversations/{pinned}/pin")
    assert ids(alice.get("/conversations", pinned=spelling)) == [pinned]


@pytest.mark.parametrize("spelling", ["false", "False", "0", "no", "off", "f"])
def test_pinned_ones_are_left_out_however_that_is_spelled(alice, spelling):
    pinned, other = begin(alice), begin(alice)
    alice.patch(f"/conversations/{pinned}/pin")
    assert ids(alice.get("/conversations", pinned=spelling)) == [other]


def test_a_full_last_page_has_no_more_behind_it(alice):
    begin(alice), begin(alice)
    page = alice.get("/conversations", limit=2).get_json()
    assert (page["limit"], len(page["data"]), page["has_more"]) == (2, 2, False)


def test_a_strangers_conversation_is_no_last_id(alice, bob, charlie):
    conversation_id = begin(alice)
    for stranger in (bob, charlie):
        begin(stranger)
        assert stranger.get("/conversations", last_id=conversation_id).status_code == 404


def test_others_see_nothing(alice, bob, charlie):
    begin(alice)
    assert ids(bob.get("/conversations")) == ids(charlie.get("/conversations")) == []


def test_a_completion_app_has_no_conversations(client, app):
    visitor = WebVisitor(client, make_app(mode="completion"))
    answers = [visitor.get("/conversations"), visitor.get("/messages"), rename(visitor, uuid.uuid4(), {"name": "x"})]
    assert {(answer.status_code, answer.get_json()["code"]) for answer in answers} == {(404, "not_chat_app")}


def test_a_name_is_stored_as_given(alice):
    conversation_id = begin(alice)
    body = rename(alice, conversation_id, {"name": "  Mine  "}).get_json()
    assert (body["id"], body["name"], len(body)) == (conversation_id, "  Mine  ", 7)


@pytest.mark.parametrize("letter", ["x", "🐈"])
def test_the_longest_name_is_255_characters_long(alice, letter):
    assert rename(alice, begin(alice), {"name": letter * 255}).get_json()["name"] == letter * 255


def test_a_renamed_conversation_comes_first(alice):
    first, second = begin(alice), begin(alice)
    rename(alice, first, {"name": "Mine"})
    assert ids(alice.get("/conversations")) == [first, second]


def test_a_generated_name_counts_as_an_update(alice, model):
    first, second = begin(alice), begin(alice)
    model.script("A title")
    assert rename(alice, first, {"auto_generate": True}).get_json()["name"] == "A title"
    assert ids(alice.get("/conversations")) == [first, second]


def test_a_conversation_without_a_question_gets_no_name(alice):
    conversation_id = begin(alice)
    with autocommit_engine().connect() as connection:
        connection.execute(text("DELETE FROM messages WHERE conversation_id = :id"), {"id": conversation_id})
    answer = rename(alice, conversation_id, {"auto_generate": True})
    assert (answer.status_code, answer.get_json()) == (400, {"code": "invalid_param", "message": "", "status": 400})


def test_a_name_may_stand_in_the_query_and_the_body_wins(alice):
    conversation_id = begin(alice)
    path = f"/api/conversations/{conversation_id}/name?name=Query"
    assert alice.client.post(path, headers=alice.headers).get_json()["name"] == "Query"
    assert alice.client.post(path, headers=alice.headers, json={}).get_json()["name"] == "Query"
    assert alice.client.post(path, headers=alice.headers, json={"name": "Body"}).get_json()["name"] == "Body"
    assert alice.client.post(path, headers=alice.headers, json={"name": None}).status_code == 400


@pytest.mark.parametrize("body", BAD_NAMES)
def test_a_bad_name_is_refused(alice, body):
    answer = rename(alice, begin(alice), body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_without_body_and_query_there_is_no_json(alice):
    answer = alice.client.post(f"/api/conversations/{begin(alice)}/name", headers=alice.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (415, "unsupported_media_type")


def test_only_its_owner_names_a_conversation(alice, bob, charlie):
    conversation_id = begin(alice)
    for stranger in (bob, charlie):
        for body in ({"name": "Stolen"}, {"auto_generate": True}):
            assert rename(stranger, conversation_id, body).status_code == 404


def test_the_model_finds_a_name(alice, model):
    conversation_id = begin(alice, "How do cats purr?")
    model.script('"Purring cats"\n', "Because")
    assert rename(alice, conversation_id, {"auto_generate": True}).get_json()["name"] == "Purring cats"
    assert "How do cats purr?" in model.requests[-1].body["messages"][0]["content"]


@pytest.mark.parametrize(
    ("chunks", "more"),
    [
        (["<think>The user asks about cats. I will say Cats.\n</think>\n\n", "Cats at home\nor"], {}),
        (["The user asks about cats.\nI will say Cats.\n</think>\n\n", "Cats at home"], {}),
        (["Cats at home"], {"reasoning": ("The user asks about cats.\n",)}),
        (["<think>\n\n</think>\n\nTitle: **Cats at home**"], {}),
        (["```\nCats at home\n```"], {}),
    ],
)
def test_a_name_is_no_thought(alice, model, chunks, more):
    conversation_id = begin(alice, "How do cats purr?")
    model.script(*chunks, delay=0.05, **more)
    assert rename(alice, conversation_id, {"auto_generate": True}).get_json()["name"] == "Cats at home"


def test_thoughts_that_never_end_give_no_name(alice, model):
    conversation_id = begin(alice, "How do cats purr?")
    model.script("<think>The user asks about cats.\nI will", finish="length")
    assert rename(alice, conversation_id, {"auto_generate": True}).get_json()["name"] == "How do cats purr?"


def test_a_long_generated_name_is_cut(alice, model):
    conversation_id = begin(alice)
    model.script("x" * 100)
    assert rename(alice, conversation_id, {"auto_generate": True}).get_json()["name"] == "x" * 72 + "..."


@pytest.mark.parametrize(
    "script",
    [{"status": 500}, {"chunks": ("  \n",)}, {"chunks": ("\0\0",)}, {"chunks": ("\0 \n\0",)}, {"chunks": ('""',)}],
)
def test_a_failing_model_leaves_the_name(alice, model, script):
    conversation_id = begin(alice, "Hello")
    model.script(*script.get("chunks", ()), status=script.get("status", 200))
    answer = rename(alice, conversation_id, {"auto_generate": True})
    assert (answer.status_code, answer.get_json()["name"]) == (200, "Hello")


def test_no_connection_is_held_while_the_model_finds_a_name(alice, model, monkeypatch):
    conversation_id = begin(alice)
    held, stream = [], ChatModel.stream

    def watched(*arguments, **options):
        held.extend(engine.pool.checkedout() for engine in db.engines.values())
        return stream(*arguments, **options)

    monkeypatch.setattr(ChatModel, "stream", watched)
    rename(alice, conversation_id, {"auto_generate": True})
    assert held == [0, 0]


@pytest.mark.parametrize("path", ["/conversations/abc/name", "/conversations/abc/pin", "/messages/abc/feedbacks"])
def test_an_invalid_id_matches_no_route(alice, path):
    assert alice.post(path, {"name": "x"}).status_code == 404
