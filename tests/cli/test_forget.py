"""`flask forget`."""

import json

import pytest

from tests.support.people import execute


@pytest.fixture
def session(alice):
    """A session id that has asked once."""
    alice.ask()
    return execute("SELECT session_id FROM end_users WHERE app_id = :id", id=alice.app.id)[0][0]


def test_it_shows_what_goes_and_asks(app, run, session):
    answer = app.test_cli_runner().invoke(args=["forget", session], input="n\n")
    assert answer.exit_code == 1 and "To be removed:" in answer.output and "messages" in answer.output
    assert json.loads(run("conversations", "list", "--end-user", session, "--json")[1])["data"]


def test_it_says_what_was_removed_and_may_be_done_again(run, session):
    exit_code, out, err = run("forget", session, "--yes")
    assert (exit_code, err) == (0, "")
    assert "To be removed:" in out and "Removed:" in out
    assert run("forget", session, "--yes") == (0, f"Nothing is known of {session!r}.\n", "")


def test_programs_get_counts(run, session):
    removed = json.loads(run("forget", session, "--yes", "--json")[1])["removed"]
    assert (removed["end_users"], removed["conversations"], removed["messages"]) == (1, 1, 1)
    again = json.loads(run("forget", session, "--yes", "--json")[1])["removed"]
    assert set(again.values()) == {0}
