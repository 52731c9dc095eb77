"""How one statement is run, and how its rows come back."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

from app.extensions import autocommit_engine, db
from app.models.execution import execute, fetch_all, fetch_existing, fetch_one, fetch_value, fetch_values, json_text

PAIR = text("SELECT 2 AS second, 'a' AS first WHERE :there")
NUMBERS = text("SELECT number AS second, 'n' AS first FROM generate_series(1, :most) AS number ORDER BY 1")


class Pair(NamedTuple):
    first: str
    second: int


@dataclass(frozen=True)
class PairOfClass:
    first: str
    second: int


pytestmark = pytest.mark.usefixtures("app")


@pytest.mark.parametrize("shape", [Pair, PairOfClass])
def test_a_row_is_filled_by_column_name_whatever_the_order(shape):
    assert fetch_one(PAIR, {"there": True}, shape) == shape(first="a", second=2)
    assert fetch_all(NUMBERS, {"most": 2}, shape) == [shape(first="n", second=1), shape(first="n", second=2)]


def test_no_row_is_none_or_nothing():
    assert fetch_one(PAIR, {"there": False}, Pair) is None
    assert fetch_value(PAIR, {"there": False}) is None
    assert fetch_all(PAIR, {"there": False}, Pair) == fetch_values(PAIR, {"there": False}) == []
    with pytest.raises(NoResultFound):
        fetch_existing(PAIR, {"there": False}, Pair)


def test_values_are_the_first_column():
    assert fetch_value(PAIR, {"there": True}) == 2
    assert fetch_values(NUMBERS, {"most": 3}) == [1, 2, 3]


def test_a_second_row_where_one_was_expected_is_an_error():
    with pytest.raises(MultipleResultsFound):
        fetch_one(NUMBERS, {"most": 2}, Pair)


@pytest.mark.parametrize("sql", ["SELECT 'a' AS first", "SELECT 'a' AS first, 2 AS second, 3 AS third"])
def test_a_column_too_few_or_too_many_is_an_error(sql):
    for fetch in (fetch_one, fetch_existing, fetch_all):
        with pytest.raises(TypeError):
            fetch(text(sql), {}, Pair)


def test_json_is_sent_as_json_and_none_as_null():
    statement = json_text(
        "SELECT CAST(:kept AS jsonb) ->> 'a' AS first, CAST(:none AS jsonb) IS NULL AS second", "kept", "none"
    )
    assert fetch_one(statement, {"kept": {"a": "b"}, "none": None}, Pair) == Pair(first="b", second=True)


def test_a_statement_alone_is_one_round_trip_and_whole_when_it_returns(alice):
    sent = []
    watch = autocommit_engine(), "before_cursor_execute", lambda *arguments: sent.append(arguments[2])
    event.listen(*watch)
    changed = execute(text("UPDATE apps SET name = 'Anew' WHERE id = :id"), {"id": alice.app.id})
    event.remove(*watch)
    assert (changed, len(sent)) == (1, 1)
    assert fetch_value(text("SELECT name FROM apps WHERE id = :id"), {"id": alice.app.id}) == "Anew"


def test_with_a_connection_it_is_part_of_its_transaction(alice):
    with db.engine.connect() as connection:
        execute(text("UPDATE apps SET name = 'Anew' WHERE id = :id"), {"id": alice.app.id}, connection)
        connection.rollback()
    assert fetch_value(text("SELECT name FROM apps WHERE id = :id"), {"id": alice.app.id}) != "Anew"


def test_no_connection_is_held_behind_a_statement():
    fetch_all(NUMBERS, {"most": 3}, Pair)
    assert autocommit_engine().pool.checkedout() == 0
