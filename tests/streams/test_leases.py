"""Leases on a real Redis: one holder, and a hand-over when it falls silent."""

import uuid

import pytest

from app.streams import leases
from app.streams.leases import Leases


@pytest.fixture
def task_id(redis_db) -> str:
    redis_db.delete(leases.LEASES, leases.OWNERS, leases.WORKERS)
    return str(uuid.uuid4())


def lapse(redis_db, task_id: str) -> None:
    redis_db.zadd(leases.LEASES, {task_id: 1})


def test_one_process_holds_a_lease(redis_db, task_id):
    assert Leases(redis_db, 3).take(task_id)
    assert not Leases(redis_db, 3).take(task_id)


def test_a_lapsed_lease_is_reaped_once_as_an_orphan(redis_db, task_id):
    Leases(redis_db, 3).take(task_id)
    lapse(redis_db, task_id)
    assert leases.reap(redis_db, 3) == ([task_id], [], [])
    assert leases.reap(redis_db, 3) == ([], [], [])


def test_a_task_that_nobody_took_in_time_is_overdue(redis_db, task_id):
    leases.note_queued(redis_db, [task_id])
    lapse(redis_db, task_id)
    assert leases.reap(redis_db, 3) == ([], [], [task_id])


def test_a_reaped_run_can_be_taken_at_once(redis_db, task_id):
    Leases(redis_db, 3).take(task_id)
    lapse(redis_db, task_id)
    leases.reap(redis_db, 3)
    assert Leases(redis_db, 3).take(task_id)


def test_a_slow_worker_learns_that_its_run_was_taken(redis_db, task_id):
    slow, other = Leases(redis_db, 3), Leases(redis_db, 3)
    slow.take(task_id)
    lapse(redis_db, task_id)
    other.take(task_id)
    assert slow.renew([task_id]) == [task_id]
    assert other.renew([task_id]) == []


def test_a_lease_survives_that_redis_forgets(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    redis_db.delete(leases.LEASES, leases.OWNERS)
    assert holder.renew([task_id]) == []
    assert not Leases(redis_db, 3).take(task_id)


def test_a_run_given_back_is_handed_on_at_once(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    holder.release(task_id, leases.HANDED_ON)
    assert leases.reap(redis_db, 3).handed_on == [task_id]


def test_a_run_whose_worker_failed_with_it_is_an_orphan_at_once(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    holder.release(task_id, leases.LOST)
    assert leases.reap(redis_db, 3).orphans == [task_id]


def test_a_postponed_run_is_taken_by_nobody_and_then_handed_on(redis_db, task_id):
    leases.postpone(redis_db, {task_id: 60})
    assert not Leases(redis_db, 3).take(task_id)
    assert leases.reap(redis_db, 3) == ([], [], [])
    leases.end_wait(redis_db, task_id)
    assert leases.reap(redis_db, 3) == ([], [task_id], [])
    assert Leases(redis_db, 3).take(task_id)


def test_only_a_postponed_run_can_be_called_earlier(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    leases.end_wait(redis_db, task_id)
    assert leases.reap(redis_db, 3) == ([], [], [])


def test_an_ended_run_is_forgotten(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    holder.release(task_id)
    assert leases.reap(redis_db, 3) == ([], [], [])
    assert redis_db.hlen(leases.OWNERS) == 0


def test_a_lease_is_not_given_back_by_another(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    Leases(redis_db, 3).release(task_id)
    assert not Leases(redis_db, 3).take(task_id)


def test_an_expected_task_is_noted_once(redis_db, task_id):
    assert leases.note_queued(redis_db, [task_id]) == [task_id]
    assert leases.note_queued(redis_db, [task_id]) == []


def test_the_heartbeat_shows_the_worker(redis_db, task_id):
    worker = Leases(redis_db, 3)
    worker.renew([])
    assert worker.owner in leases.live_workers(redis_db, 5)
    worker.leave()
    assert worker.owner not in leases.live_workers(redis_db, 5)


def test_a_lease_of_before_redis_clock_was_set_back_runs_out(redis_db, task_id):
    holder = Leases(redis_db, 3)
    holder.take(task_id)
    redis_db.zadd(leases.LEASES, {task_id: 1_000 * (redis_db.time()[0] + 3600)})

    assert leases.reap(redis_db, 3) == ([], [], [])

    ends = redis_db.zscore(leases.LEASES, task_id) / 1_000
    assert ends <= redis_db.time()[0] + 1 + leases.QUEUE_SECONDS
    assert holder.renew([task_id]) == []


def test_a_heartbeat_of_before_redis_clock_was_set_back_counts_for_nothing(redis_db, task_id):
    redis_db.zadd(leases.WORKERS, {"gone": redis_db.time()[0] + 3600})
    assert leases.live_workers(redis_db, 5) == []


def test_a_pause_is_cut_to_the_longest_one_where_the_clock_was_set_back(redis_db, task_id):
    leases.postpone(redis_db, {task_id: 3600})
    leases.reap(redis_db, 3)
    now = redis_db.time()[0]
    assert 0 < redis_db.zscore(leases.LEASES, task_id) / 1000 - now <= leases.LONGEST_PAUSE + 1
