"""Redis loses the events of an answer: whoever comes back, with whatever number, gets all of the text it lacks."""

from collections.abc import Iterable

import pytest

from app.api.process_hub import hub
from app.models import tasks
from app.models.tasks import claim_task, find_task
from app.providers.models.chat_types import Chunk
from app.services.auth.end_users import find_or_make
from app.services.events.event_reader import EventGroup, EventReader
from app.services.generation.message_publisher import MessagePublisher
from app.services.generation.task_execution import TaskExecution, worker_runtime
from app.services.visitor import generations
from app.services.visitor.chat import start
from app.streams import channel
from tests.support.factories import make_app
from tests.support.sse import Frame, answer_text, parse_frame

FIRST = ["Half ", "of ", "what ", "is ", "lost "]
WHOLE = ["All ", "of ", "what ", "is ", "said."]


@pytest.fixture
def task(app):
    published = make_app()
    return start(published, find_or_make(published.id), generations.Question("Hi", {}))


def take(task) -> MessagePublisher:
    """Claim the task as a worker does."""
    claimed = claim_task(task.task_id)
    opening = claimed.epoch, claimed.last_event, claimed.last_event_is_known
    return MessagePublisher(TaskExecution(claimed, worker_runtime().publisher.open(task.task_id, *opening), 60))


def say(publisher: MessagePublisher, pieces: Iterable[str]) -> None:
    for piece in pieces:
        publisher.add(Chunk(piece))
    publisher._writer.wait_until_sent(5)


def finish(publisher: MessagePublisher) -> None:
    publisher.finish(tasks.SUCCEEDED)
    publisher._writer.wait_until_sent(5)


def frames_of(group: EventGroup) -> list[Frame]:
    return [parse_frame(f"id: {event.number}\ndata: {event.data.decode()}") for event in group]


class Client:
    """Has the events of a task up to a number, loses its stream, and comes back with the number."""

    def __init__(self, task, number: int) -> None:
        logged = channel.read_log(worker_runtime().client, task.task_id, 0)
        self.frames = frames_of([event for event in logged if event.number <= number])
        self._task, self._number = task, number
        self._reader = EventReader(hub(), task.task_id)

    def come_back(self) -> None:
        self._groups = self._reader.resume(find_task(self._task.task_id), self._number, with_snapshot=False)

    def read_one(self) -> None:
        self.frames += frames_of(next(self._groups, []))

    def read_all(self) -> None:
        for group in self._groups:
            self.frames += frames_of(group)
        self._reader.close()

    def assert_whole(self) -> None:
        assert answer_text(self.frames) == "".join(WHOLE)
        assert [frame.event for frame in self.frames].count("message_end") == 1
        numbers = [frame.number for frame in self.frames if frame.number]
        assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("comes_back", ["while it is said anew", "behind the end"])
def test_another_worker_says_the_answer_after_redis_lost_it(task, redis_db, comes_back):
    first = take(task)
    say(first, FIRST)
    clients = [Client(task, number) for number in range(len(FIRST) + 1)]
    redis_db.flushall()
    second = take(task)
    say(second, WHOLE[:2])
    if comes_back == "behind the end":
        say(second, WHOLE[2:])
        finish(second)
    for client in clients:
        client.come_back()
        client.read_one()
    if comes_back != "behind the end":
        say(second, WHOLE[2:])
        finish(second)
    for client in clients:
        client.read_all()
        client.assert_whole()


def test_the_same_worker_goes_on_after_redis_lost_the_log(task, redis_db):
    publisher = take(task)
    say(publisher, WHOLE[:3])
    clients = [Client(task, number) for number in range(4)]
    redis_db.flushall()
    for client in clients:
        client.come_back()
    say(publisher, WHOLE[3:])
    for client in clients:
        client.read_one()
    finish(publisher)
    for client in clients:
        client.read_all()
        client.assert_whole()


def test_numbers_grow_however_often_redis_is_emptied(task, redis_db):
    publisher = take(task)
    client = Client(task, 0)
    client.come_back()
    for _ in range(3):
        say(publisher, FIRST)
        client.read_one()
        redis_db.flushall()
        publisher = take(task)
    say(publisher, WHOLE)
    finish(publisher)
    client.read_all()
    client.assert_whole()


def test_who_has_the_end_is_sent_nothing_more_once_the_log_is_gone(task, redis_db):
    publisher = take(task)
    say(publisher, WHOLE)
    finish(publisher)
    redis_db.flushall()
    client = Client(task, 2)
    client.come_back()
    client.read_all()
    last = client.frames[-1].number
    again = Client(task, last)
    again.come_back()
    again.read_all()
    assert (last, again.frames) == (find_task(task.task_id).last_event, [])
