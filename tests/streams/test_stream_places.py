"""Places of open streams: bounded for each subject, and gone where nobody keeps them."""

import uuid

from app.streams import stream_places


def test_a_place_is_taken_of_all_subjects_or_of_none(redis_db):
    user, house = uuid.uuid4().hex, uuid.uuid4().hex
    assert stream_places.take(redis_db, {user: 2, house: 1}, "one", 60)
    assert not stream_places.take(redis_db, {user: 2, house: 1}, "two", 60)
    assert stream_places.take(redis_db, {user: 2}, "three", 60)
    assert not stream_places.take(redis_db, {user: 2}, "four", 60)
    stream_places.give_back(redis_db, [user, house], "one")
    assert stream_places.take(redis_db, {user: 2, house: 1}, "five", 60)


def test_a_place_lasts_as_long_as_it_is_kept(redis_db):
    user = uuid.uuid4().hex
    key = f"frontdesk:streams:{user}"
    assert stream_places.take(redis_db, {user: 1}, "one", 30)
    assert 0 < redis_db.pttl(key) <= 30_000
    stream_places.keep(redis_db, [user], "one", 60)
    assert redis_db.pttl(key) > 30_000


def test_a_place_that_nobody_kept_is_free_again(redis_db):
    user = uuid.uuid4().hex
    redis_db.zadd(f"frontdesk:streams:{user}", {"of a process that died": 1})
    assert stream_places.take(redis_db, {user: 1}, "one", 30)
