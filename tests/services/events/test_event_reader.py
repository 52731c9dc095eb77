"""One client's reader: where it finds the events of a task, and that it leaves no subscription behind."""

import uuid
from collections.abc import Iterator

import orjson
import pytest
import redis
from sqlalchemy import text

from app import tasks
from app.api.process_hub import hub
from app.errors import ServiceUnavailable
from app.extensions import autocommit_engine, redis_client
from app.models.tasks import TaskState, find_task
from app.services.events import event_reader
from app.services.events.blocking_answers import blocking_answer
from app.services.events.event_reader import EventReader
from app.streams import channel
from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start


@pytest.fixture
def ended(alice: WebVisitor) -> TaskState:
    """A task of mode `chat` that has ended."""
    return find_task(alice.ask()[0].data["task_id"])


@pytest.fixture
def ended_run(client) -> TaskState:
    """A task of mode `workflow` that has ended."""
    published = make_graph_app(graph(start(), end(result=["sys", "app_id"]), "start > end"))
    return find_task(WebVisitor(client, published).run()[0].data["task_id"])


@pytest.fixture
def reader(ended: TaskState) -> Iterator[EventReader]:
    reader = EventReader(hub(), ended.task_id)
    yield reader
    reader.close()


def names(events) -> list[str]:
    return [orjson.loads(event.data)["event"] for event in events]


def readers(task_id: str) -> int:
    return len(hub()._readers.get(channel.live_channel(task_id).encode(), []))


def test_the_log_is_read_to_the_final_event(reader):
    events = [event for group in reader.events(0, look_back=True) for event in group]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert [event.final for event in events] == [False] * (len(events) - 1) + [True]


def test_the_rows_are_read_where_the_log_is_gone(reader, ended):
    redis_client.client.delete(channel.log_key(ended.task_id), channel.head_key(ended.task_id))
    (group,) = reader.events(0, look_back=True)
    assert names(group) == ["message_replace", "message_end"]
    assert [(event.number, event.final) for event in group] == [(0, False), (ended.last_event, True)]


def test_nothing_stands_behind_the_final_event(reader, ended):
    assert list(reader.resume(ended, ended.last_event, with_snapshot=False)) == []


@pytest.mark.parametrize("with_snapshot", [False, True])
def test_a_client_that_joins_an_ended_run_gets_its_end_alone(ended_run, with_snapshot):
    reader = EventReader(hub(), ended_run.task_id)
    (group,) = reader.resume(ended_run, None, with_snapshot)
    reader.close()
    assert names(group) == ["workflow_finished"]


def test_a_log_that_is_older_than_what_the_client_has_is_not_told(reader, ended, servers, monkeypatch):
    """While Redis fails over: one connection leads to the new primary, another one to the old."""
    old, new = redis_client.client, redis.Redis.from_url(servers["REDIS_URL"], db=1)
    with autocommit_engine().connect() as connection:
        connection.execute(text("UPDATE tasks SET status = 'running' WHERE id = :id"), {"id": ended.task_id})
    key, known = channel.log_key(ended.task_id), channel.EPOCH_NUMBERS + 35

    def log(client: "redis.Redis", number: int, answer: str) -> None:
        client.xadd(key, {b"p": orjson.dumps({"event": "message", "answer": answer})}, id=f"{number}-0")

    old.delete(key)
    log(old, 98, "old")
    log(new, known + 5, "new")
    monkeypatch.setattr(reader, "_redis", new)
    # The reader asks again: by then its connections lead to the new primary.
    monkeypatch.setattr(reader._subscription, "take", lambda _: log(old, known + 5, " and new"))

    group = next(iter(reader.events(known, look_back=True)))
    new.delete(key)

    assert orjson.loads(group[0].data)["answer"].endswith("old and new")


def test_a_task_without_a_row_has_no_events(app):
    reader = EventReader(hub(), str(uuid.uuid4()))
    assert list(reader.events(0, look_back=True)) == []
    reader.close()


def test_a_closed_reader_leaves_no_subscription(ended):
    before = readers(ended.task_id)
    reader = EventReader(hub(), ended.task_id)
    assert readers(ended.task_id) == before + 1
    reader.close()
    assert readers(ended.task_id) == before


def test_a_task_that_cannot_be_queued_leaves_no_subscription(alice, monkeypatch):
    refused = []

    def enqueue(task_id: str, with_speech: bool) -> None:
        refused.append((task_id, readers(task_id)))
        raise redis.ConnectionError

    monkeypatch.setattr(tasks, "enqueue", enqueue)
    assert alice.chat("Hi").status_code == ServiceUnavailable.status
    ((task_id, followers),) = refused
    assert (followers, readers(task_id)) == (1, 0)


def test_a_resumption_that_fails_leaves_no_subscription(alice, ended, monkeypatch):
    before = readers(ended.task_id)

    def fail(task_id: str) -> TaskState:
        assert readers(task_id) == before + 1
        raise redis.ConnectionError

    monkeypatch.setattr(event_reader, "find_task", fail)
    assert alice.resume(ended.task_id).status_code == ServiceUnavailable.status
    assert readers(ended.task_id) == before


def test_blocking_mode_refuses_events_without_a_final_one(ended):
    with pytest.raises(ServiceUnavailable):
        blocking_answer(ended, iter([[]]))
