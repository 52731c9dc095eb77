"""How old a task is: by the database's clock, so that the clocks of hosts need not agree."""

import datetime

import pytest
import time_machine
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.models.identifiers import now
from app.models.tasks import claim_task, list_unfinished_tasks
from tests.support.web_client import WebVisitor

HOUR = datetime.timedelta(hours=1)


def ask_by_another_clock(alice: WebVisitor, difference: datetime.timedelta) -> str:
    """Return the id of a task that a web server began whose clock is wrong, and that lost its worker."""
    with time_machine.travel(now() + difference):
        task_id = str(alice.ask()[0].data["task_id"])
    with autocommit_engine().connect() as connection:
        connection.execute(
            text("UPDATE tasks SET status = 'running', created_at = created_at - interval '10 s' WHERE id = :id"),
            {"id": task_id},
        )
    return task_id


@pytest.mark.parametrize("difference", [-HOUR, HOUR], ids=["slow", "fast"])
def test_a_wrong_clock_of_the_web_server_makes_no_task_older_or_younger(alice, difference):
    task = claim_task(ask_by_another_clock(alice, difference))
    assert task is not None
    assert 10 <= task.age < 60


@pytest.mark.parametrize("difference", [-HOUR, HOUR], ids=["slow", "fast"])
def test_a_lost_task_is_found_whatever_the_web_servers_clock_said(alice, difference):
    task_id = ask_by_another_clock(alice, difference)
    assert task_id in list_unfinished_tasks(5.0, 500)
    assert task_id not in list_unfinished_tasks(60.0, 500)
