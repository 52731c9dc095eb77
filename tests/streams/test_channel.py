"""A run's channel on a real Redis: numbers, fences, gaps, reconnects."""

import threading
import uuid
from collections.abc import Iterator

import pytest
import redis

from app.streams import channel
from app.streams.channel import ChannelEvent, LogLost
from app.streams.hub import QUEUE_BYTES, QUEUE_LENGTH, Hub, Subscription
from app.streams.publisher import Publisher, Superseded
from app.streams.relay import follow


@pytest.fixture
def publisher(redis_db: "redis.Redis") -> Iterator[Publisher]:
    publisher = Publisher(redis_db, log_seconds=600, ended_log_seconds=60).start()
    yield publisher
    publisher.stop()


@pytest.fixture
def hub(redis_db: "redis.Redis") -> Iterator[Hub]:
    hub = Hub(redis_db).start()
    yield hub
    hub.stop()


@pytest.fixture
def task_id() -> str:
    return str(uuid.uuid4())


def speak(publisher: Publisher, task_id: str, *texts: bytes, epoch: int = 1, final: bool = True) -> None:
    writer = publisher.open(task_id, epoch, 0, is_last=epoch == 1)
    for index, text in enumerate(texts):
        writer.write(text, final=final and index == len(texts) - 1)
    writer.wait_until_sent(5)


def read(
    client: "redis.Redis", subscription: Subscription, after: int = 0, look_back: bool = True
) -> list[ChannelEvent]:
    return [event for group in follow(client, subscription, after, 5, look_back) for event in group]


def test_events_arrive_in_order_and_numbered_from_one(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    speak(publisher, task_id, b'{"a":1}', b'{"a":2}', b'{"a":3}')
    assert read(redis_db, subscription, look_back=False) == [
        ChannelEvent(1, b'{"a":1}', False),
        ChannelEvent(2, b'{"a":2}', False),
        ChannelEvent(3, b'{"a":3}', True),
    ]


def test_a_late_subscriber_reads_the_log(redis_db, publisher, hub, task_id):
    speak(publisher, task_id, b'{"a":1}', b'{"a":2}')
    assert [event.number for event in read(redis_db, hub.subscribe(task_id))] == [1, 2]


def test_a_reader_goes_on_behind_the_number_it_has(redis_db, publisher, hub, task_id):
    speak(publisher, task_id, b'{"a":1}', b'{"a":2}', b'{"a":3}')
    assert [event.number for event in read(redis_db, hub.subscribe(task_id), after=2)] == [3]


def test_a_lost_message_is_filled_in_from_the_log(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    speak(publisher, task_id, b'{"a":1}', b'{"a":2}', b'{"a":3}')
    while len(subscription._messages) < 3:
        threading.Event().wait(0.01)
    subscription._messages.popleft()
    subscription._messages.popleft()
    assert [event.number for event in read(redis_db, subscription, look_back=False)] == [1, 2, 3]


def test_the_last_message_lost_is_found_in_silence(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    speak(publisher, task_id, b'{"a":1}')
    while not subscription._messages:
        threading.Event().wait(0.01)
    subscription._messages.clear()
    subscription._ready.clear()
    groups = list(follow(redis_db, subscription, 0, 0.05, look_back=False))
    assert [event.number for group in groups for event in group] == [1]


def test_a_slow_reader_is_sent_to_the_log_and_misses_nothing(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    speak(publisher, task_id, *[b'{"a":1}'] * (QUEUE_LENGTH + 50))
    numbers = [event.number for event in read(redis_db, subscription, look_back=False)]
    assert numbers == list(range(1, QUEUE_LENGTH + 51))


def test_a_reader_is_bounded_in_bytes_too(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    large = b'{"a":"%b"}' % (b"x" * (QUEUE_BYTES // 4))
    speak(publisher, task_id, *[large] * 6)
    numbers = [event.number for event in read(redis_db, subscription, look_back=False)]
    assert numbers == list(range(1, 7))
    assert subscription._bytes < QUEUE_BYTES


def test_two_readers_in_one_process_both_hear_everything(redis_db, publisher, hub, task_id):
    first, second = hub.subscribe(task_id), hub.subscribe(task_id)
    first.close()
    third = hub.subscribe(task_id)
    speak(publisher, task_id, b'{"a":1}')
    assert read(redis_db, second, look_back=False) == read(redis_db, third, look_back=False)


def test_an_older_epoch_is_refused(redis_db, publisher, task_id):
    old = publisher.open(task_id, 1, 0, is_last=True)
    old.write(b'{"a":1}')
    old.wait_until_sent(5)
    new = publisher.open(task_id, 2, 0, is_last=False)
    old.write(b'{"late":1}')
    with pytest.raises(Superseded):
        old.wait_until_sent(5)
    new.write(b'{"b":1}', final=True)
    new.wait_until_sent(5)
    assert [event.data for event in channel.read_log(redis_db, task_id, 0)] == [b'{"a":1}', b'{"b":1}']


def test_an_older_epoch_cannot_open_the_channel_again(publisher, task_id):
    publisher.open(task_id, 2, 0, is_last=False)
    with pytest.raises(Superseded):
        publisher.open(task_id, 1, 0, is_last=True)


def test_numbers_go_on_from_a_row_that_is_sure_though_redis_forgot(publisher, task_id):
    writer = publisher.open(task_id, 3, 17, is_last=True)
    assert writer.write(b'{"a":1}') == 18


def test_the_next_epoch_goes_on_where_redis_has_the_log(redis_db, publisher, hub, task_id):
    speak(publisher, task_id, b'{"a":1}', b'{"a":2}', final=False)
    speak(publisher, task_id, b'{"b":1}', epoch=2)
    assert [event.number for event in read(redis_db, hub.subscribe(task_id))] == [1, 2, 3]


def test_the_next_epoch_begins_above_all_earlier_numbers_where_redis_forgot_them(redis_db, publisher, task_id):
    speak(publisher, task_id, *[b'{"a":1}'] * 8, final=False)
    redis_db.delete(channel.head_key(task_id), channel.log_key(task_id))
    writer = publisher.open(task_id, 2, 0, is_last=False)
    numbers = [writer.write(b'{"b":1}'), writer.write(b'{"b":2}')]
    writer.wait_until_sent(5)
    assert numbers == [2**32 + 1, 2**32 + 2]
    assert [event.number for event in channel.read_log(redis_db, task_id, 8)] == numbers


def test_the_next_epoch_does_not_trust_a_redis_that_was_started_anew(redis_db, publisher, task_id):
    speak(publisher, task_id, b'{"a":1}', final=False)
    redis_db.hset(channel.head_key(task_id), "server", "another")
    assert publisher.open(task_id, 2, 0, is_last=False).write(b'{"b":1}') == 2**32 + 1


def test_epochs_behind_a_gap_go_on_without_another(publisher, task_id):
    earlier = publisher.open(task_id, 20_000, 0, is_last=False)
    earlier.write(b'{"a":1}')
    earlier.wait_until_sent(5)
    later = publisher.open(task_id, 20_001, 0, is_last=False)
    assert later.write(b'{"b":1}') == channel.last_number_before(20_000) + 2


def test_an_event_sent_twice_is_logged_once(redis_db, publisher, task_id):
    writer = publisher.open(task_id, 1, 0, is_last=True)
    writer.write(b'{"a":1}')
    writer.wait_until_sent(5)
    writer.number = 0
    writer.write(b'{"a":1}')
    writer.wait_until_sent(5)
    assert len(list(channel.read_log(redis_db, task_id, 0))) == 1


def test_a_writer_learns_that_the_log_was_lost(redis_db, publisher, task_id):
    writer = publisher.open(task_id, 1, 0, is_last=True)
    writer.write(b'{"a":1}')
    writer.wait_until_sent(5)
    redis_db.delete(channel.head_key(task_id), channel.log_key(task_id))
    writer.write(b'{"a":2}')
    writer.wait_until_sent(5)
    assert writer.log_was_lost


def test_a_writer_learns_that_redis_came_back_with_older_data(redis_db, publisher, task_id):
    writer = publisher.open(task_id, 1, 0, is_last=True)
    for _ in range(3):
        writer.write(b'{"a":1}')
    writer.wait_until_sent(5)
    redis_db.hset(channel.head_key(task_id), "number", 2)
    writer.write(b'{"a":4}')
    writer.wait_until_sent(5)
    assert writer.log_was_lost


def test_a_reader_learns_that_the_log_was_lost(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    writer = publisher.open(task_id, 1, 5, is_last=True)
    writer.write(b'{"a":6}')
    writer.wait_until_sent(5)
    with pytest.raises(LogLost):
        read(redis_db, subscription, after=2)


def test_a_reader_who_lost_nothing_learns_of_a_gap_behind_what_it_has(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    speak(publisher, task_id, b'{"a":1}', final=False)
    redis_db.delete(channel.head_key(task_id), channel.log_key(task_id))
    speak(publisher, task_id, b'{"b":1}', epoch=2)
    with pytest.raises(LogLost):
        read(redis_db, subscription, look_back=False)


def test_publisher_and_hub_come_back_when_their_connections_are_cut(redis_db, publisher, hub, task_id):
    subscription = hub.subscribe(task_id)
    writer = publisher.open(task_id, 1, 0, is_last=True)
    for number in range(1, 201):
        writer.write(b'{"a":%d}' % number, final=number == 200)
        if number % 50 == 0:
            redis_db.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            redis_db.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    assert [event.number for event in read(redis_db, subscription, look_back=False)] == list(range(1, 201))


def test_the_log_of_an_ended_run_expires(redis_db, publisher, task_id):
    speak(publisher, task_id, b'{"a":1}')
    assert 0 < redis_db.ttl(channel.log_key(task_id)) <= 60
