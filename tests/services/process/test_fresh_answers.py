"""Answers that are kept for some seconds, and asked for by one thread at a time."""

import threading

from app.services.process.fresh_answers import FreshAnswer

LONG = 600.0


def test_an_answer_is_kept(app):
    asked = []
    fresh = FreshAnswer(app, lambda: asked.append(1) or len(asked), LONG)
    assert [fresh.get(LONG) for _ in range(3)] == [1, 1, 1]


def test_an_old_answer_is_asked_for_again(app):
    asked = []
    fresh = FreshAnswer(app, lambda: asked.append(1) or len(asked), 0.0)
    assert [fresh.get(LONG) for _ in range(3)] == [1, 2, 3]


def test_callers_of_a_server_that_hangs_go_on_and_one_thread_waits(app):
    answers, asked = threading.Event(), []

    def ask() -> str:
        asked.append(1)
        answers.wait(LONG)
        return "late"

    fresh = FreshAnswer(app, ask, LONG)
    assert [fresh.get(0.01) for _ in range(20)] == [None] * 20
    question = fresh.begin()
    answers.set()
    question.answered.wait(LONG)
    assert (fresh.get(0.01), len(asked)) == ("late", 1)


def test_it_is_asked_inside_of_the_app(app):
    assert FreshAnswer(app, lambda: app.config["VERSION"], LONG).get(LONG) == app.config["VERSION"]
