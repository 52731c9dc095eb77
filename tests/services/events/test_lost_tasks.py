"""Tasks whose workers die: handed on at once, later, or never again."""

import uuid

import pytest

from app import tasks as queue
from app.models import tasks
from app.models.tasks import claim_task, find_task
from app.services.auth.end_users import find_or_make
from app.services.events import lost_tasks
from app.services.visitor import generations
from app.services.visitor.chat import start as begin
from app.streams import leases, signals
from app.streams.leases import LEASES, OWNERS, Leases
from tests.support.factories import make_app, make_graph_app
from tests.support.people import execute
from tests.support.workflow.graphs import answer, graph, start


@pytest.fixture(autouse=True)
def no_other_tasks(redis_db):
    redis_db.delete(LEASES, OWNERS)


def ask(published):
    return begin(published, find_or_make(published.id), generations.Question("Hi", {}))


@pytest.fixture
def task(app):
    return ask(make_app())


def lose(redis_db, task_id: str) -> list[str]:
    """Let a worker take the task and die; return what is enqueued again."""
    end_pauses(redis_db)
    assert Leases(redis_db, 3).take(task_id)
    claim_task(task_id)
    redis_db.zadd(LEASES, {task_id: 1})
    return lost_tasks.find_abandoned(queue_length=0)


def end_pauses(redis_db) -> list[str]:
    """Let all pauses be over; return what is enqueued again."""
    for task_id, owner in redis_db.hgetall(OWNERS).items():
        if not owner:
            leases.end_wait(redis_db, task_id.decode())
    return lost_tasks.find_abandoned(queue_length=0)


def test_the_first_worker_that_is_lost_is_replaced_at_once(task, redis_db):
    assert lose(redis_db, task.task_id) == [task.task_id]


def test_behind_further_losses_at_one_step_it_waits_longer_each_time(task, redis_db):
    lose(redis_db, task.task_id)
    pauses = []
    for _ in range(2):
        assert lose(redis_db, task.task_id) == []
        assert not Leases(redis_db, 3).take(task.task_id)
        pauses.append(redis_db.zscore(LEASES, task.task_id) / 1000 - redis_db.time()[0])
    assert 0 < pauses[0] < pauses[1] <= 31
    assert end_pauses(redis_db) == [task.task_id]


def test_it_fails_with_a_clear_error_where_that_is_all_it_does(task, redis_db):
    enqueued = [lose(redis_db, task.task_id) for _ in range(lost_tasks.MOST_LOSSES)]
    assert enqueued[-1] == [task.task_id]
    queue.generate(task.task_id)
    state = find_task(task.task_id)
    assert (state.status, state.failure["message"]) == (
        tasks.FAILED,
        "Run failed: its worker was lost 4 times at the same step.",
    )


def test_a_run_that_gets_on_may_lose_any_number_of_workers(app, redis_db):
    task = ask(make_graph_app(graph(start(), answer("All."), "start > answer"), mode="advanced-chat"))
    for number in range(2 * lost_tasks.MOST_LOSSES):
        execute(
            "INSERT INTO node_executions (id, run_id, frame, node_id, kind, title, index, status, started_at,"
            " finished_at) VALUES (:id, :run_id, '', 'n', 'code', 'n', 1, 'stopped', now(), now())",
            id=uuid.uuid4(),
            run_id=find_task(task.task_id).workflow_run_id,
        )
        assert lose(redis_db, task.task_id) == [task.task_id], number
    queue.generate(task.task_id)
    assert find_task(task.task_id).status == tasks.SUCCEEDED


def test_a_worker_that_hands_its_tasks_over_is_not_lost(task, redis_db):
    for _ in range(2 * lost_tasks.MOST_LOSSES):
        worker = Leases(redis_db, 3)
        assert worker.take(task.task_id)
        worker.release(task.task_id, leases.HANDED_ON)
        assert lost_tasks.find_abandoned(queue_length=0) == [task.task_id]
    queue.generate(task.task_id)
    assert find_task(task.task_id).status == tasks.SUCCEEDED


def test_a_stop_ends_the_pause(task, redis_db):
    lose(redis_db, task.task_id)
    lose(redis_db, task.task_id)
    signals.request_stop(redis_db, task.task_id)
    assert lost_tasks.find_abandoned(queue_length=0) == [task.task_id]
    queue.generate(task.task_id)
    assert find_task(task.task_id).status == tasks.STOPPED


def test_an_ended_task_is_enqueued_for_its_last_events(task, redis_db):
    queue.generate(task.task_id)
    Leases(redis_db, 3).take(task.task_id)
    redis_db.zadd(LEASES, {task.task_id: 1})
    assert lost_tasks.find_abandoned(queue_length=0) == [task.task_id]


@pytest.mark.parametrize("queue_length", [0, 1])
def test_a_task_that_was_admitted_and_never_written_is_forgotten(app, redis_db, queue_length):
    task_id = str(uuid.uuid4())
    leases.note_queued(redis_db, [task_id])
    redis_db.zadd(LEASES, {task_id: 1})
    assert lost_tasks.find_abandoned(queue_length) == []
    assert redis_db.zscore(LEASES, task_id) is None
