"""The counter of attempts."""

import hashlib
import threading
import uuid

import pytest

from app.services.auth import rate_limits


@pytest.fixture
def subject(app):
    return f"attempts of {uuid.uuid4()}"


def key(subject):
    return f"frontdesk:attempts:{hashlib.sha256(subject.encode()).hexdigest()}"


def test_attempts_add_up_until_they_are_forgotten(subject):
    assert [rate_limits.count(subject, 60) for _ in range(3)] == [1, 2, 3]
    assert rate_limits.so_far(subject) == 3
    rate_limits.forget(subject)
    assert rate_limits.so_far(subject) == 0
    assert rate_limits.count(subject, 60) == 1


def test_another_subject_counts_apart(subject):
    rate_limits.count(subject, 60)
    assert rate_limits.so_far(f"{subject}, too") == 0


def test_the_time_runs_from_the_first_attempt(subject, redis_db):
    rate_limits.count(subject, 60)
    redis_db.expire(key(subject), 5)
    rate_limits.count(subject, 60)
    assert redis_db.ttl(key(subject)) <= 5


def test_attempts_at_the_same_time_are_all_counted(app, subject):
    counted = []

    def attempt():
        with app.app_context():
            counted.append(rate_limits.count(subject, 60))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counted) == list(range(1, 9))
