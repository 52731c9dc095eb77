"""The sweep of visitors who left nothing."""

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from app.models.end_users import sweep_statement
from app.services.auth import end_users
from tests.support.factories import make_graph_app
from tests.support.web_client import WebVisitor
from tests.support.workflow.graphs import end, graph, start


def age(visitor, days):
    """Let a visitor have come so many days ago."""
    statement = text("UPDATE end_users SET created_at = now() - :days * interval '1 day' WHERE app_id = :id")
    with autocommit_engine().connect() as connection:
        connection.execute(statement, {"days": days, "id": visitor.app.id})


def is_there(visitor):
    end_users.forget_all()
    return visitor.get("/site").status_code == 200


@pytest.mark.parametrize(("days", "stays"), [(29, True), (31, False)])
def test_an_old_visitor_who_left_nothing_goes(alice, days, stays):
    age(alice, days)
    end_users.sweep()
    assert is_there(alice) is stays


@pytest.mark.parametrize("mode", ["chat", "completion"])
def test_a_visitor_who_left_something_stays(client, app, model, mode):
    visitor = WebVisitor.of_new_app(client, mode=mode)
    visitor.post(f"/{mode}-messages", {"inputs": {}, "query": "Hi"})
    age(visitor, 31)
    end_users.sweep()
    assert is_there(visitor)


def test_a_visitor_who_ran_a_workflow_stays(client, app):
    visitor = WebVisitor(
        client, make_graph_app(graph(start(text="text-input"), end(result=["start", "text"]), "start > end"))
    )
    visitor.run(text="Hi")
    age(visitor, 31)
    end_users.sweep()
    assert is_there(visitor)


def test_every_table_that_refers_to_visitors_is_looked_at(app):
    columns = text(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND confrelid = 'end_users'::regclass"
    )
    with autocommit_engine().connect() as connection:
        tables = connection.execute(columns).scalars().all()
    statement = str(sweep_statement(end_users.SWEPT_AFTER))
    assert tables and all(f"FROM {table}" in statement for table in tables)
