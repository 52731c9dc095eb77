"""A generation that gets no connection to PostgreSQL in time is handed on: it must not fail for that."""

import contextlib

import pytest

from app import tasks as queue
from app.extensions import autocommit_engine
from app.models import tasks
from app.models.execution import ping
from app.models.tasks import find_task
from app.services.auth.end_users import find_or_make
from app.services.generation import message_generation, workflow_generation
from app.services.visitor import generations
from app.services.visitor.chat import start as begin
from app.streams import leases
from tests.support.factories import make_app, make_graph_app
from tests.support.workflow.graphs import answer, graph, start


def find_no_connection(*_):
    """Ask PostgreSQL while others hold every connection."""
    pool = autocommit_engine().pool
    with contextlib.ExitStack() as held, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "_timeout", 0.05)
        for _ in range(pool.size()):
            held.enter_context(autocommit_engine().connect())
        ping()


@pytest.mark.parametrize(
    ("make", "module"),
    [
        (make_app, message_generation),
        (
            lambda: make_graph_app(graph(start(), answer("All."), "start > answer"), mode="advanced-chat"),
            workflow_generation,
        ),
    ],
    ids=["chat", "chatflow"],
)
def test_it_is_handed_on(app, redis_db, monkeypatch, make, module):
    published = make()
    task = begin(published, find_or_make(published.id), generations.Question("Hi", {}))
    monkeypatch.setattr(module, "moderate_question", find_no_connection)
    queue.generate(task.task_id)
    assert redis_db.hget(leases.OWNERS, task.task_id) == b""
    monkeypatch.undo()
    queue.generate(task.task_id)
    assert find_task(task.task_id).status == tasks.SUCCEEDED
