"""GET /messages (contract endpoints.md)."""

import uuid

import orjson
import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.streams import channel
from app.streams.publisher import Publisher

FIELDS = {
    "id",
    "conversation_id",
    "parent_message_id",
    "inputs",
    "query",
    "answer",
    "message_files",
    "feedback",
    "retriever_resources",
    "created_at",
    "agent_thoughts",
    "status",
    "error",
    "extra_contents",
    "metadata",
}
BAD_MORE = [{"limit": 0}, {"limit": 101}, {"limit": "2.5"}, {"limit": ""}, {"limit": "x"}, {"first_id": "x"}]


@pytest.fixture
def conversation_id(alice):
    """Five questions: 0 to 4."""
    first = alice.ask("0")[0].data
    for number in range(1, 5):
        alice.ask(str(number), conversation_id=first["conversation_id"])
    return first["conversation_id"]


def queries(messages):
    return [message["query"] for message in messages]


def test_a_message_has_every_field_and_lists_are_lists(alice):
    (message,) = alice.history(alice.ask()[0].data["conversation_id"])
    assert message.keys() == FIELDS
    for name in ("message_files", "retriever_resources", "agent_thoughts", "extra_contents"):
        assert message[name] == []
    assert message["feedback"] is None and message["parent_message_id"] is None


def test_the_newest_page_is_oldest_first(alice, conversation_id):
    answer = alice.get("/messages", conversation_id=conversation_id, limit=2)
    assert queries(answer.get_json()["data"]) == ["3", "4"]
    assert answer.get_json()["has_more"] is True


def test_older_pages_lie_before_the_first_one_that_the_client_has(alice, conversation_id):
    newest = alice.history(conversation_id, limit=2)
    older = alice.get("/messages", conversation_id=conversation_id, limit=3, first_id=newest[0]["id"]).get_json()
    assert (queries(older["data"]), older["has_more"]) == (["0", "1", "2"], False)


def test_a_page_ends_before_the_message_that_makes_it_too_large(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "HISTORY_PAGE_BYTES", 5_900)
    first = alice.ask("0" * 2_000)[0].data
    for number in "1234":
        alice.ask(number * 2_000, conversation_id=first["conversation_id"])
    pages, first_id, more = [], "", True
    while more:
        page = alice.get("/messages", conversation_id=first["conversation_id"], first_id=first_id).get_json()
        pages.insert(0, [query[0] for query in queries(page["data"])])
        more, first_id = page["has_more"], page["data"][0]["id"]
    assert pages == [["0"], ["1", "2"], ["3", "4"]]


def test_a_message_larger_than_a_page_is_a_page(alice, app, monkeypatch):
    monkeypatch.setitem(app.config, "HISTORY_PAGE_BYTES", 10)
    conversation_id = alice.ask("long " * 20)[0].data["conversation_id"]
    page = alice.get("/messages", conversation_id=conversation_id).get_json()
    assert (queries(page["data"]), page["has_more"]) == (["long " * 20], False)


def test_equal_times_hide_no_message(alice, conversation_id):
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE messages SET created_at = now() WHERE conversation_id = :id"), {"id": conversation_id}
        )
    seen, first_id, more = [], "", True
    while more:
        page = alice.get("/messages", conversation_id=conversation_id, limit=2, first_id=first_id).get_json()
        seen, more, first_id = queries(page["data"]) + seen, page["has_more"], page["data"][0]["id"]
    assert sorted(seen) == ["0", "1", "2", "3", "4"]


def test_no_conversation_has_no_messages(alice):
    assert alice.get("/messages", conversation_id="").get_json() == {"limit": 20, "has_more": False, "data": []}


def test_unknown_names_in_the_query_are_ignored(alice, conversation_id):
    assert len(alice.history(conversation_id, last_id="")) == 5


@pytest.mark.parametrize(
    "query", [{}, {"conversation_id": "x"}, *({"conversation_id": ""} | more for more in BAD_MORE)]
)
def test_a_bad_query_is_refused(alice, query):
    answer = alice.get("/messages", **query)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_param")


def test_an_unknown_first_id_is_not_found(alice, conversation_id):
    answer = alice.get("/messages", conversation_id=conversation_id, first_id=str(uuid.uuid4()))
    assert (answer.status_code, answer.get_json()["message"]) == (404, "First Message Not Exists.")


def test_a_first_id_of_another_conversation_is_not_found(alice, conversation_id):
    other = alice.ask()[0].data["message_id"]
    assert alice.get("/messages", conversation_id=conversation_id, first_id=other).status_code == 404


@pytest.fixture
def publisher(redis_db):
    publisher = Publisher(redis_db, log_seconds=60, ended_log_seconds=60).start()
    yield publisher
    publisher.stop()


@pytest.fixture
def running(alice, redis_db):
    """The first frame of an answer that no worker has begun yet."""
    frame = alice.ask()[0].data
    redis_db.delete(channel.log_key(frame["task_id"]), channel.head_key(frame["task_id"]))
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE tasks SET status = 'running', last_event = 0 WHERE id = :id"), {"id": frame["task_id"]}
        )
        connection.execute(
            text("UPDATE messages SET answer = '', metadata = NULL WHERE id = :id"), {"id": frame["message_id"]}
        )
    return frame


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ([], ""),
        ([("message", "Hel"), ("message", "lo")], "Hello"),
        ([("message", "a"), ("message_replace", "b"), ("message", "c")], "bc"),
    ],
)
def test_a_running_answer_shows_the_text_so_far(alice, publisher, running, told, shown):
    writer = publisher.open(running["task_id"], 1, 0, is_last=True)
    for event, answer in told:
        writer.write(orjson.dumps({"event": event, "answer": answer}))
    writer.wait_until_sent(5)
    (message,) = alice.history(running["conversation_id"])
    assert (message["answer"], message["status"], message["metadata"]) == (shown, "normal", None)


def test_others_see_nothing(alice, bob, charlie, conversation_id):
    for stranger in (bob, charlie):
        answer = stranger.get("/messages", conversation_id=conversation_id)
        assert (answer.status_code, answer.get_json()["message"]) == (404, "Conversation Not Exists.")


def test_the_parent_is_shown_as_it_was_sent(alice):
    first = alice.ask()[0].data
    alice.ask(conversation_id=first["conversation_id"], parent_message_id=first["message_id"].upper())
    assert [message["parent_message_id"] for message in alice.history(first["conversation_id"])] == [
        None,
        first["message_id"],
    ]
