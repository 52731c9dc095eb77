"""The counts are worth something: each kind of difference is found, and the same seed breaks the same."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text

from app.extensions import autocommit_engine
from tests.chaos import schedule
from tests.chaos.ledger import LOST, STUCK, TWICE, Ledger, Question
from tests.support.web_client import WebVisitor

KINDS = ("a", "b", "c", "d")


@pytest.fixture
def mark(alice: WebVisitor) -> Iterator[str]:
    """The mark of a question that was asked once and answered by its mark."""
    mark = f"q{uuid.uuid4().hex[:8]}"
    alice.chat(f"{mark} [[say:{mark}]]")
    yield mark
    change("DELETE FROM messages WHERE query LIKE :mark", mark)


def change(statement: str, mark: str, **values: Any) -> None:
    with autocommit_engine().connect() as connection:
        connection.execute(text(statement), values | {"mark": f"{mark}%"})


def problems(servers: dict[str, str], question: Question) -> list[str]:
    """The kinds of what is wrong with one question."""
    ledger = Ledger()
    ledger.ask(question)
    ledger.compare_rows(servers["DATABASE_URL"])
    return [kind for kind, _ in ledger.problems]


def test_a_whole_answer_is_no_difference(servers, mark):
    assert problems(servers, Question(mark, "chat", mark, sent=1, answered=True)) == []


def test_a_row_with_another_text_is_lost(servers, mark):
    assert problems(servers, Question(mark, "chat", f"{mark} and more", sent=1, answered=True)) == [LOST]


def test_an_answer_without_a_row_is_lost(servers, bound_app):
    assert problems(servers, Question("q-nowhere", "chat", "text", sent=1, answered=True)) == [LOST]


def test_a_second_row_of_one_sending_is_twice(servers, alice, mark):
    alice.chat(f"{mark} [[say:{mark}]]")
    assert problems(servers, Question(mark, "chat", mark, sent=1, answered=True)) == [TWICE]


def test_a_task_that_still_runs_is_stuck(servers, mark):
    change("UPDATE tasks SET status = 'running' FROM messages m WHERE m.id = message_id AND m.query LIKE :mark", mark)
    assert problems(servers, Question(mark, "chat", mark, sent=1, answered=True)) == [STUCK]


def test_the_same_seed_gives_the_same_schedule():
    assert schedule.plan(7, 60, KINDS) == schedule.plan(7, 60, KINDS)
    assert schedule.plan(7, 60, KINDS) != schedule.plan(8, 60, KINDS)


def test_each_kind_comes_before_one_comes_again():
    kinds = [fault.kind for fault in schedule.plan(7, 60, KINDS)]
    assert set(kinds[:4]) == set(kinds[4:8]) == set(KINDS)
