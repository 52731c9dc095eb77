"""What is published and stored of a message when Redis or another worker comes between."""

import uuid

import pytest

from app.errors import ServiceUnavailable
from app.models import tasks
from app.models.tasks import claim_task, find_task
from app.providers.models.chat_types import Chunk
from app.services.auth.end_users import find_or_make
from app.services.events import task_states
from app.services.generation.message_publisher import MessagePublisher
from app.services.generation.missed_endings import publish_missed_ending
from app.services.generation.task_execution import TaskExecution, worker_runtime
from app.services.visitor import generations
from app.services.visitor.chat import start
from app.streams import channel, signals
from tests.support.factories import make_app
from tests.support.sse import answer_text, parse_frame


@pytest.fixture
def task(app):
    published = make_app()
    return start(published, find_or_make(published.id), generations.Question("Hi", {}))


def execution_of(task):
    claimed = claim_task(task.task_id)
    return TaskExecution(
        claimed,
        worker_runtime().publisher.open(
            claimed.task_id, claimed.epoch, claimed.last_event, claimed.last_event_is_known
        ),
        60,
    )


def logged(redis_db, task):
    return [parse_frame(f"data: {event.data.decode()}") for event in channel.read_log(redis_db, task.task_id, 0)]


def test_what_redis_lost_is_said_again_before_the_last_word(task, redis_db):
    execution = execution_of(task)
    publisher = MessagePublisher(execution)
    publisher.add(Chunk("Hel"))
    execution.writer.wait_until_sent(5)
    redis_db.delete(channel.head_key(task.task_id), channel.log_key(task.task_id))
    publisher.add(Chunk("lo"))
    publisher.finish(tasks.SUCCEEDED)
    execution.writer.wait_until_sent(5)
    frames = logged(redis_db, task)
    assert [frame.event for frame in frames] == ["message", "message_replace", "message_end"]
    assert answer_text(frames) == "Hello"


def test_a_worker_that_was_taken_over_stores_nothing(task):
    slow, other = MessagePublisher(execution_of(task)), MessagePublisher(execution_of(task))
    other.add(Chunk("Right"))
    other.finish(tasks.SUCCEEDED)
    with pytest.raises(Exception, match=task.task_id):
        slow.add(Chunk("Wrong"))
        slow.finish(tasks.SUCCEEDED)
    assert find_task(task.task_id).answer == "Right"


def test_the_second_worker_takes_back_what_the_first_one_said(task, redis_db):
    first = execution_of(task)
    MessagePublisher(first).add(Chunk("Half"))
    first.writer.wait_until_sent(5)
    second = execution_of(task)
    publisher = MessagePublisher(second)
    publisher.add(Chunk("Whole"))
    publisher.finish(tasks.SUCCEEDED)
    second.writer.wait_until_sent(5)
    assert answer_text(logged(redis_db, task)) == "Whole"


def test_a_question_that_nobody_took_is_ended(task, redis_db):
    task_states.fail_unqueued(task, ServiceUnavailable())
    assert find_task(task.task_id).status == tasks.FAILED


def test_a_question_that_somebody_took_meanwhile_is_stopped(task, redis_db):
    execution_of(task)
    task_states.fail_unqueued(task, ServiceUnavailable())
    assert signals.stops_requested(redis_db, [task.task_id]) == [task.task_id]


def test_the_end_that_a_dead_worker_did_not_say_is_said(task, redis_db):
    execution = execution_of(task)
    publisher = MessagePublisher(execution)
    publisher.add(Chunk("Hello"))
    execution.writer.wait_until_sent(5)
    publisher._store(tasks.SUCCEEDED, {"retriever_resources": []}, None)
    publish_missed_ending(worker_runtime(), task.task_id)
    publish_missed_ending(worker_runtime(), task.task_id)
    frames = logged(redis_db, task)
    assert [frame.event for frame in frames][-1] == "message_end" and len(frames) == 3
    assert answer_text(frames) == "Hello"


def test_the_end_of_a_speech_that_a_dead_worker_did_not_say_is_said(task, redis_db):
    execution = execution_of(task)
    publisher = MessagePublisher(execution)
    publisher.add(Chunk("Hello"))
    execution.writer.wait_until_sent(5)
    publisher._store(tasks.SUCCEEDED, {}, None)
    execution.writer.write(publisher.events.message_end({}))
    execution.writer.write(publisher.events.tts_message(b"ID3"))
    execution.writer.wait_until_sent(5)
    publish_missed_ending(worker_runtime(), task.task_id)
    publish_missed_ending(worker_runtime(), task.task_id)
    assert [frame.event for frame in logged(redis_db, task)] == [
        "message",
        "message_end",
        "tts_message",
        "tts_message_end",
    ]


def test_an_unknown_task_has_no_end(app):
    assert find_task(str(uuid.uuid4())) is None
